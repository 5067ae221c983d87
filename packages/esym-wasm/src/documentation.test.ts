/**
 * Runs what the README shows, and holds it to what its comments say.
 */
import { examplesOf, expectCommentsPrinted } from "@smooth-topk/doc-examples";
import { expect, it } from "vitest";
import * as wasm from "./index.ts";

it("the README's example prints what its comments say", async () => {
  const example = examplesOf(new URL("../README.md", import.meta.url)).find(({ language }) => language === "ts");
  expect(example).toBeDefined();
  await expectCommentsPrinted(example?.code ?? "", { "@smooth-topk/esym-wasm": wasm });
});
