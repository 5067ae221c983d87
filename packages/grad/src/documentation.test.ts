/** Runs the example of the README and holds it to the output shown. */
import { examplesOf, expectOutputPrinted } from "@smooth-topk/doc-examples";
import ndarray from "ndarray";
import { expect, it } from "vitest";
import * as grad from "./index.ts";

it("README.md shows the output of its first example, to the last digit", async () => {
  const examples = examplesOf(new URL("../README.md", import.meta.url));
  const [example, output] = examples.filter(({ language }) => ["js", "text"].includes(language));
  expect([example.language, output.language]).toEqual(["js", "text"]);
  await expectOutputPrinted(example.code, output.code, { "@smooth-topk/grad": grad, ndarray: { default: ndarray } });
});
