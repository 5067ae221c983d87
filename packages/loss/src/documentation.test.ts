/**
 * Runs what the README shows, and holds it to what it says it prints.
 */
import * as esym from "@smooth-topk/esym";
import {
  compileExamples,
  docstringExamples,
  examplesOf,
  expectCommentsPrinted,
  expectOutputPrinted,
} from "@smooth-topk/doc-examples";
import * as grad from "@smooth-topk/grad";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import * as differentiable from "./differentiable/index.ts";
import * as loss from "./index.ts";

const modules = {
  "@smooth-topk/esym": esym,
  "@smooth-topk/loss": loss,
  "@smooth-topk/loss/differentiable": differentiable,
  "@smooth-topk/grad": grad,
  ndarray: { default: ndarray },
};

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

  it("says in comments what its example of derivatives prints", async () => {
    const example = examples.find(({ heading }) => heading === "Differentiable forms");
    await expectCommentsPrinted(example?.code ?? "", modules);
  });

  it("says in comments what its example of backends prints", async () => {
    const example = examples.find(({ heading }) => heading === "On another backend");
    await expectCommentsPrinted(example?.code ?? "", modules);
  });
});

describe("the project's README.md", () => {
  it("says in comments what its example prints", async () => {
    const example = examplesOf(new URL("../../../README.md", import.meta.url)).find(
      ({ language }) => language === "ts",
    );
    await expectCommentsPrinted(example?.code ?? "", modules);
  });
});
