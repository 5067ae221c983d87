import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { multiplyFactors, productStack, truncatedProduct } from "./truncated-product.ts";

const STEP = 20;

/** Coefficients of prod (1 + e_i / 2^20 X), the j-th times 2^(20 j), exactly. */
function exactProduct(e: number[], k: number): bigint[] {
  const p = new Array<bigint>(k + 1).fill(0n);
  p[0] = 1n;
  for (const v of e) for (let j = k; j > 0; j--) p[j] += BigInt(v) * p[j - 1];
  return p;
}

/** value 2^exponent / (exact 2^(-20 j)) - 1 in u. */
function errorInU(value: number, exponent: number, exact: bigint, j: number): number {
  if (exact === 0n) return value === 0 ? 0 : Infinity;
  const length = exact.toString(2).length;
  const shift = BigInt(Math.max(0, length - 1000));
  const reference = Number(exact >> shift);
  return Math.abs((value / reference) * 2 ** (exponent + STEP * j - Number(shift)) - 1) / 2 ** -53;
}

const factors = fc.array(fc.integer({ min: 0, max: 2 ** STEP }), { minLength: 1, maxLength: 400 });

describe("products of linear factors", () => {
  // A subset's term is rounded where it takes part in an addition: in a run of up to 512 factors 512 / 4 groups of
  // at most 7 roundings, and (k + 1) roundings in each of the merges above; 3 u for comparing in doubles.
  it("the tree of runs gives the exact coefficients, within its rounding bound", () => {
    fc.assert(
      fc.property(factors, fc.integer({ min: 0, max: 30 }), (integers, k) => {
        const n = integers.length;
        const e = new Float64Array((n + 3) & ~3);
        integers.forEach((v, i) => (e[i] = v * 2 ** -STEP));
        const out = new Float64Array(k + 1);
        const exponent = truncatedProduct(e, n, k, productStack(k), out);
        const exact = exactProduct(integers, k);
        const runs = Math.ceil(n / 64);
        const bound = 7 * 16 * Math.min(runs, Math.max(k, 1)) + (k + 1) * Math.ceil(Math.log2(runs + 1)) + 3;
        for (let j = 0; j <= k; j++) expect(errorInU(out[j], exponent, exact[j], j)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("coefficients beyond the range of doubles are scaled, not lost", () => {
    const n = 3000;
    const k = 1500;
    const e = new Float64Array(n).fill(1);
    const out = new Float64Array(k + 1);
    const exponent = truncatedProduct(e, n, k, productStack(k), out);
    const exact = exactProduct(new Array<number>(n).fill(1), k);
    const bits = exact[k].toString(2).length;
    const reference = Number(exact[k] >> BigInt(bits - 60)) * 2 ** (bits - 60 - exponent);
    // 3000 / 4 groups of 7 roundings at worst; errors of both signs leave far less.
    expect(Math.abs(out[k] / reference - 1)).toBeLessThan(5250 * 2 ** -53);
  });

  it("factors (a + b X) multiply in, whatever the power of two taken out", () => {
    const unit = fc.integer({ min: 0, max: 2 ** STEP });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(unit, unit), { minLength: 1, maxLength: 600 }),
        fc.integer({ min: 0, max: 9 }),
        (pairs, k) => {
          const a = Float64Array.from(pairs, ([v]) => v * 2 ** -STEP);
          const b = Float64Array.from(pairs, ([, v]) => v * 2 ** -STEP);
          const p = new Float64Array(k + 1);
          p[0] = 1;
          const exponent = multiplyFactors(p, 0, k, a, b, 0, pairs.length);
          const exact = new Array<bigint>(k + 1).fill(0n);
          exact[0] = 1n;
          for (const [u, v] of pairs) {
            for (let j = k; j > 0; j--) exact[j] = BigInt(u) * exact[j] + BigInt(v) * exact[j - 1];
            exact[0] *= BigInt(u);
          }
          for (let j = 0; j <= k; j++) {
            const bits = exact[j].toString(2).length;
            const power = exponent + STEP * pairs.length - Math.max(0, bits - 60);
            const reference = Number(exact[j] >> BigInt(Math.max(0, bits - 60)));
            // Below the normal range products underflow by design.
            if (bits - STEP * pairs.length < -960) continue;
            expect(Math.abs(p[j] * 2 ** power - reference)).toBeLessThanOrEqual(
              3 * pairs.length * 2 ** -53 * reference,
            );
          }
        },
      ),
    );
  });
});
