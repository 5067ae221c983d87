/** Runs the examples of the README and holds them to what they show. */
import { examplesOf, expectCommentsPrinted, expectOutputPrinted } from "@smooth-topk/doc-examples";
import ndarray from "ndarray";
import { expect, it } from "vitest";
import * as grad from "./index.ts";

const modules = { "@smooth-topk/grad": grad, ndarray: { default: ndarray } };
const examples = examplesOf(new URL("../README.md", import.meta.url)).filter(({ language }) =>
  ["js", "text"].includes(language),
);

it("README.md shows the output of its first example, to the last digit", async () => {
  const [example, output] = examples;
  expect([example.language, output.language]).toEqual(["js", "text"]);
  await expectOutputPrinted(example.code, output.code, modules);
});

it("README.md shows what a primitive of one's own gives", async () => {
  expect(examples).toHaveLength(3);
  await expectCommentsPrinted(examples[2].code, modules);
});
