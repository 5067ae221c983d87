import { AssertionError } from "node:assert";
import { expect, it } from "vitest";
import { expectCommentsPrinted, expectOutputPrinted } from "./expect-printed.ts";

const modules = { m: { two: 2, default: { three: async () => 3 } } };

it("accepts an example whose comments show what it prints", async () => {
  const code = `import { two as double } from "m";
import m from "m";
console.log(double / 3); // a fraction: 0.667
console.log(Float64Array.of(1, 2.5), await m.three()); // 1, 2.5 3
`;
  await expect(expectCommentsPrinted(code, modules)).resolves.toBeUndefined();
});

it.each([
  ["another number", "console.log(0.5); // 0.6"],
  ["a number too few", "console.log(1, 2); // 1"],
  ["a number too many", "console.log(1); // 1, 2"],
  ["nothing to compare", "const a = 1;"],
])("refuses an example that shows %s", async (_, code) => {
  await expect(expectCommentsPrinted(`${code}\n`, modules)).rejects.toThrow(AssertionError);
});

it("compares whole outputs to the letter", async () => {
  await expect(expectOutputPrinted("console.log(1 / 3);", "0.3333333333333333\n", {})).resolves.toBeUndefined();
  await expect(expectOutputPrinted("console.log(1 / 3);", "0.333\n", {})).rejects.toThrow("0.333");
});
