/**
 * Runs the README's example and holds it to the output that it shows.
 */
import { examplesOf, expectOutputPrinted } from "@smooth-topk/doc-examples";
import { expect, it } from "vitest";
import * as esymGpu from "./index.ts";

it("the README shows the output of its example", async () => {
  const examples = examplesOf(new URL("../README.md", import.meta.url));
  const [example, output] = examples.filter(({ language }) => ["ts", "text"].includes(language));
  expect([example.language, output.language]).toEqual(["ts", "text"]);
  await expectOutputPrinted(example.code, output.code, { "@smooth-topk/esym-gpu": esymGpu });
});
