/**
 * Runs what the README and the guide show, and holds them to what they say it prints.
 */
import { examplesOf, expectCommentsPrinted, expectOutputPrinted } from "@smooth-topk/doc-examples";
import { describe, expect, it } from "vitest";
import * as esym from "./index.ts";

const modules = { "@smooth-topk/esym": esym };

describe("docs/poisson-binomial.md", () => {
  const examples = examplesOf(new URL("../../../docs/poisson-binomial.md", import.meta.url));
  it.each(examples.map(({ heading, language, code }, at) => ({ at: at + 1, heading, language, code })))(
    "example $at, $heading, prints what its comments say",
    async ({ language, code }) => {
      expect(language).toBe("ts");
      await expectCommentsPrinted(code, modules);
    },
  );
});

describe("README.md", () => {
  const examples = examplesOf(new URL("../README.md", import.meta.url));

  it("shows the output of its first example, to the last digit", async () => {
    const [example, output] = examples.filter(({ language }) => ["ts", "text"].includes(language));
    expect([example.language, output.language]).toEqual(["ts", "text"]);
    await expectOutputPrinted(example.code, output.code, modules);
  });

  it("says in comments what its example of shards prints", async () => {
    const example = examples.find(({ heading }) => heading === "A row in shards");
    await expectCommentsPrinted(example?.code ?? "", modules);
  });
});
