/**
 * Runs what the README and the guide show, and holds them to what they say it prints.
 */
import {
  compileExamples,
  docstringExamples,
  examplesOf,
  expectCommentsPrinted,
  expectOutputPrinted,
} from "@smooth-topk/doc-examples";
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

describe("the recipes of docs/poisson-binomial.md at hard inputs", () => {
  const { code } = examplesOf(new URL("../../../docs/poisson-binomial.md", import.meta.url))[0];

  // 10,000 equal probabilities of 1/4: P(S = 0) = 0.75^10000. Each logarithm errs by u relative, the compensated sum by 2 u, and
  // the product on the right by u: 4 u of 2877 = 1.3e-12. A plain sum is off by 1e-9.
  it("the PMF of 10,000 trials keeps its digits", async () => {
    const many = code
      .replace("const p = [0.1, 0.5, 0.8];", "const p = new Array(10_000).fill(0.25);")
      .replace("logEsp(x, 3)", "logEsp(x, 2)")
      .replaceAll(/^console.*$/gm, "");
    await expectCommentsPrinted(
      `${many}\nconsole.log(Math.abs(logNone - 10_000 * Math.log1p(-0.25)) * 1e11); // in units of 1e-11: 0`,
      modules,
    );
  });
});

describe("docstrings", () => {
  const examples = docstringExamples(new URL("./", import.meta.url));

  it.each(examples)("$of: the example prints what its comments say", async ({ code }) => {
    await expectCommentsPrinted(code, modules);
  });

  it("all examples, those of the README too, compile under strict TypeScript", () => {
    expect(examples.length).toBeGreaterThan(8);
    const shown = examplesOf(new URL("../README.md", import.meta.url)).filter(({ language }) => language === "ts");
    expect(compileExamples([...examples, ...shown].map(({ code }) => code))).toBe("");
  }, 60_000);
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
