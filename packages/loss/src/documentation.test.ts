/**
 * Runs what the README shows, and holds it to what it says it prints.
 */
import { examplesOf, expectOutputPrinted } from "@smooth-topk/doc-examples";
import { describe, expect, it } from "vitest";
import * as loss from "./index.ts";

const modules = { "@smooth-topk/loss": loss };

describe("README.md", () => {
  const examples = examplesOf(new URL("../README.md", import.meta.url));

  it("shows the output of its first example, to the last digit", async () => {
    const [example, output] = examples.filter(({ language }) => ["ts", "text"].includes(language));
    expect([example.language, output.language]).toEqual(["ts", "text"]);
    await expectOutputPrinted(example.code, output.code, modules);
  });
});
