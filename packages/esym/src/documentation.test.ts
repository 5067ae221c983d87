/**
 * Runs what the README and the guide show, and holds them to what they say it prints.
 */
import { readFileSync } from "node:fs";
import { format } from "node:util";
import { compileFunction } from "node:vm";
import { describe, expect, it } from "vitest";
import * as esym from "./index.ts";

/** The fenced blocks of a page, in order. */
function blocks(path: string): { language: string; code: string; heading: string }[] {
  const text = readFileSync(new URL(path, import.meta.url), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1],
    code: match[2],
    heading:
      text
        .slice(0, match.index)
        .match(/^#+ .*$/gm)
        ?.at(-1) ?? "",
  }));
}

/** Runs an example, its imports taken from this package, and returns the arguments of each console.log. */
function run(code: string): unknown[][] {
  const printed: unknown[][] = [];
  const body = code.replaceAll(/^import (\{[^}]*\}) from "@smooth-topk\/esym";$/gm, "const $1 = esym;");
  compileFunction(body, ["esym", "console"])(esym, { log: (...values: unknown[]) => printed.push(values) });
  return printed;
}

/** All numbers in a printed value: itself, or those of an array or ndarray. */
function numbers(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return [...(ArrayBuffer.isView(value) ? (value as Float64Array) : (value as { data: Float64Array }).data)];
}

/** The numbers that end a comment, as written. */
function shown(comment: string): string[] {
  return comment
    .slice(comment.lastIndexOf(":") + 1)
    .split(",")
    .map((text) => text.trim());
}

/** Digits after the point. */
const places = (text: string): number => text.split(".")[1]?.length ?? 0;

describe("docs/poisson-binomial.md", () => {
  it.each(blocks("../../../docs/poisson-binomial.md").map((block, at) => ({ at: at + 1, ...block })))(
    "example $at, $heading, prints what its comments say",
    ({ language, code }) => {
      expect(language).toBe("ts");
      const comments = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => shown(match[1]));
      const printed = run(code).map((values) => values.flatMap(numbers));
      expect(comments.length).toBeGreaterThan(0);
      // Numbers are rounded to the digits shown: no other tolerance.
      expect(printed.map((row, r) => row.map((v, i) => v.toFixed(places(comments[r]?.[i] ?? ""))))).toEqual(comments);
    },
  );
});

describe("README.md", () => {
  it("shows the output of its example, to the last digit", () => {
    const [example, output] = blocks("../README.md").filter(({ language }) => ["ts", "text"].includes(language));
    expect([example.language, output.language]).toEqual(["ts", "text"]);
    const lines = run(example.code).map((values) => `${format(...values)}\n`);
    expect(lines.join("")).toBe(output.code);
  });
});
