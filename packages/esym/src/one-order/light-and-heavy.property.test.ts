/**
 * The edges of light and heavy entries, judged by the oracle: docs/algorithm.md, section 11.
 */
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNIT_SCALE } from "../numbers/exponential.ts";
import { logRatio, logRatioGradient, logRatioWorkspace } from "./log-ratio.ts";

const U = 2 ** -53;
let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

const row = (n: number, entry: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => entry(i));
/** Repeatable, between -1 and 1. */
const noise = (i: number): number => Math.sin(12.9898 * (i + 1)) ** 3;

/** [name, row, k, whether the light form takes it]. */
const rows: readonly (readonly [string, number[], number, boolean])[] = [
  ["all equal", row(400, () => 0.3), 20, true],
  ["nearly equal", row(400, (i) => 0.01 * noise(i)), 20, true],
  ["inclusion just below the threshold of 1/8: 9 k equal entries", row(9 * 20, () => 1), 20, true],
  ["inclusion at the threshold: one entry less", row(9 * 20 - 1, () => 1), 20, false],
  ["an exponential decay through every magnitude", row(600, (i) => -i), 5, true],
  ["the same in steps of 1/8", row(600, (i) => -i / 8), 20, true],
  ["two clusters, k in the lower", row(400, (i) => (i < 10 ? 30 : 0) + 0.1 * noise(i)), 16, true],
  ["two clusters, k at their edge", row(400, (i) => (i < 20 ? 30 : 0) + 0.1 * noise(i)), 20, true],
  ["two clusters, k in the upper", row(600, (i) => (i < 500 ? 30 : 0) + 0.1 * noise(i)), 20, true],
  ["one entry dominates by 600", row(300, (i) => (i === 7 ? 600 : noise(i))), 5, true],
  ["ties at the k-th place", row(400, (i) => Math.floor(i / 10)), 6, true],
  ["wide spread", row(500, (i) => 8 * noise(i)), 5, true],
  ["wide spread, large k", row(800, (i) => 3 * noise(i)), 30, true],
  ["masked entries", row(600, (i) => (i % 3 === 0 ? -Infinity : noise(i))), 5, true],
  ["k close to n", row(300, noise), 295, true],
  ["k close to n / 2", row(200, noise), 99, false],
  ["coefficients beyond the doubles", row(3000, (i) => 0.1 * noise(i)), 200, true],
];

describe.each(rows)("%s", (_name, x, k, light) => {
  const work = logRatioWorkspace(x.length, k);
  const gradient = new Float64Array(x.length);

  it(`is taken by ${light ? "light and heavy entries" : "products"}`, () => {
    logRatio(work, Float64Array.from(x), UNIT_SCALE);
    expect(work.light).toBe(light);
  });

  // The ratio is within 6 u: exponentials 1.2 u, p_1 2 u, Newton's last step 1 u, roundings of the end 2 u. Its logarithm rounds
  // once, as do the sum with the centre and the oracle's value.
  it("has the log-ratio to 6 u and the roundings of its sum, and its gradient to 16 k u", () => {
    expect(logRatio(work, Float64Array.from(x), UNIT_SCALE)).toBe(true);
    const { ratio, centre } = work;
    logRatioGradient(work, 1, gradient, 0);
    const expected = oracle.logEspRatio(x, k);
    const sizes = Math.abs(Math.log(ratio)) + Math.abs(centre) + Math.abs(expected.value);
    expect(Math.abs(Math.log(ratio) + centre - expected.value)).toBeLessThanOrEqual((6 + sizes) * U);
    x.forEach((_, i) => {
      if (expected.grad[i] >= 1e-280) {
        expect(Math.abs(gradient[i] / expected.grad[i] - 1)).toBeLessThanOrEqual(16 * k * U);
      } else expect(Math.abs(gradient[i])).toBeLessThan(2e-280);
    });
  });
});

it("the workspace is re-entrant: two of them, rows in turn, give what one gives", () => {
  const [a, b] = [row(300, noise), row(300, (i) => 9 * noise(i))];
  const alone = [a, b].map((x) => {
    const work = logRatioWorkspace(300, 5);
    logRatio(work, Float64Array.from(x), UNIT_SCALE);
    return work.ratio;
  });
  const [first, second] = [logRatioWorkspace(300, 5), logRatioWorkspace(300, 5)];
  logRatio(first, Float64Array.from(a), UNIT_SCALE);
  logRatio(second, Float64Array.from(b), UNIT_SCALE);
  const out = new Float64Array(300);
  logRatioGradient(first, 1, out, 0);
  expect([first.ratio, second.ratio]).toEqual(alone);
  const sum = out.reduce((s, g) => s + g, 0);
  expect(Math.abs(sum - 1)).toBeLessThanOrEqual((16 * 5 + 300) * U);
});
