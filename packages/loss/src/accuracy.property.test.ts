/**
 * The accuracy contract of the losses, judged by the oracle. Larger rows: the grid of `npm run accuracy`.
 */
import { errorInU } from "@smooth-topk/conformance";
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crossEntropyValueAndGrad, smoothTopkSvmValueAndGrad, topkSvmValueAndGrad } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

interface Case {
  readonly s: readonly number[];
  readonly y: number;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

/** Temperatures 1e-3 to 1e3, scores up to 1e6 in size, ties, masks, a label at the top or the bottom or one class far above. */
const instance: fc.Arbitrary<Case> = fc
  .record({
    scale: fc.constantFrom(1e-3, 0.1, 1, 10, 100, 1e4, 1e6),
    entries: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
        { weight: 2, arbitrary: fc.constantFrom(0, 0.5, -0.5, 1) },
        { weight: 1, arbitrary: fc.constant(-Infinity) },
        { weight: 1, arbitrary: fc.constantFrom(-100, 100) },
      ),
      { minLength: 2, maxLength: 50 },
    ),
    y: fc.nat(),
    k: fc.oneof(fc.nat(), fc.integer({ min: 0, max: 4 })),
    tau: fc.oneof(fc.constantFrom(1e-3, 0.01, 0.1, 1, 10, 1e3), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
    alpha: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 10, noNaN: true })),
  })
  .map(({ scale, entries, y, k, tau, alpha }) => {
    const s = entries.map((v) => v * scale);
    const label = y % s.length;
    if (s[label] === -Infinity) s[label] = 0;
    return { s, y: label, k: 1 + (k % (s.length - 1)), tau, alpha };
  });

/** Entries below 1e-280 are outside the contract; they must be about as small here. */
function expectEntries(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(expected[i]) >= 1e-280) expect(errorInU(actual[i], expected[i])).toBeLessThanOrEqual(bound);
    else expect(Math.abs(actual[i])).toBeLessThan(2e-280);
  }
}

describe("against the oracle", () => {
  // Contract: (8 + |z|) u and 64 k u. With up to 50 classes the sums are short: ratio 4 u, exp 2 u, log1p 2 u, tau 1 u,
  // and the argument of exp exact to 2^-100, so nothing grows with |z|. The gradient's bracket loses a factor k of the 4 u
  // of each of its three polynomials.
  it("the smooth loss is right to 9 u and its gradient to 16 k + 8 u", () => {
    fc.assert(
      fc.property(instance, ({ s, y, k, tau, alpha }) => {
        const { value, grad } = smoothTopkSvmValueAndGrad(s, y, { k, tau, alpha });
        const exact = oracle.smoothTopkSvm(s, y, { k, tau, alpha });
        if (exact.loss >= 1e-300 || exact.loss === 0) expect(errorInU(value, exact.loss)).toBeLessThanOrEqual(9);
        expectEntries(grad.data, exact.grad, 16 * k + 8);
      }),
      { numRuns: 300 },
    );
  });

  it("the hard loss is right to 2 u, with the limit's subgradient", () => {
    fc.assert(
      fc.property(instance, ({ s, y, k, alpha }) => {
        const { value, grad } = topkSvmValueAndGrad(s, y, { k, alpha });
        const exact = oracle.topkSvm(s, y, { k, alpha });
        expect(errorInU(value, exact.loss)).toBeLessThanOrEqual(2);
        expectEntries(grad.data, exact.grad, 3);
      }),
    );
  });

  it("the cross-entropy is right to 8 u and its gradient to 16 u", () => {
    fc.assert(
      fc.property(instance, ({ s, y }) => {
        const { value, grad } = crossEntropyValueAndGrad(s, y);
        const exact = oracle.crossEntropy(s, y);
        if (exact.loss >= 1e-300 || exact.loss === 0) expect(errorInU(value, exact.loss)).toBeLessThanOrEqual(8);
        expectEntries(grad.data, exact.grad, 16);
      }),
    );
  });
});

describe("cases that once failed", () => {
  it("n = 10000, k = 100: products about the k-th largest entry do not underflow", () => {
    const scores = new Float64Array(10_000).fill(0.1);
    const { value, grad } = smoothTopkSvmValueAndGrad(scores, 0, { k: 100 });
    // All equal: sigma_k / sigma_{k-1} = (n - k) / k over n - 1 entries, and every pi^(k) - pi^(k-1) = 1 / (n - 1).
    const odds = (Math.E * 9900) / 100;
    expect(errorInU(value, Math.log1p(odds))).toBeLessThanOrEqual(16);
    expect(errorInU(grad.data[1], odds / (1 + odds) / 100 / 9999)).toBeLessThanOrEqual(6400);
  });
});
