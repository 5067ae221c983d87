/**
 * The accuracy contract of the losses, judged by the oracle. Larger rows: the grid of `npm run accuracy`.
 */
import { errorInU } from "@smooth-topk/conformance";
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectEntries } from "../testing/expect-entries.ts";
import { extremeInstance } from "../testing/extreme-instances.ts";
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad, topkLossValueAndGrad } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

describe("against the oracle", () => {
  // Contract: min(9, 8 + |z|) u and 64 k u. With up to 50 classes the sums are short: ratio 4 u, exp 2 u, log1p 2 u, tau 1 u,
  // and the argument of exp exact to 2^-100, so nothing grows with |z|. The gradient's bracket loses a factor k of the 4 u
  // of each of its three polynomials.
  it("the smooth loss is right to 9 u and its gradient to 16 k + 8 u", () => {
    fc.assert(
      fc.property(extremeInstance, ({ s, y, k, tau, alpha }) => {
        const { value, grad } = smoothTopkLossValueAndGrad(s, y, { k, tau, alpha });
        const exact = oracle.smoothTopkLoss(s, y, { k, tau, alpha });
        if (exact.loss >= 1e-300 || exact.loss === 0) expect(errorInU(value, exact.loss)).toBeLessThanOrEqual(9);
        expectEntries(grad.data, exact.grad, 16 * k + 8);
      }),
      { numRuns: 300 },
    );
  });

  it("the hard loss is right to 2 u, with the limit's subgradient", () => {
    fc.assert(
      fc.property(extremeInstance, ({ s, y, k, alpha }) => {
        const { value, grad } = topkLossValueAndGrad(s, y, { k, alpha });
        const exact = oracle.topkLoss(s, y, { k, alpha });
        expect(errorInU(value, exact.loss)).toBeLessThanOrEqual(2);
        expectEntries(grad.data, exact.grad, 3);
      }),
    );
  });

  it("the cross-entropy is right to 8 u and its gradient to 16 u", () => {
    fc.assert(
      fc.property(extremeInstance, ({ s, y }) => {
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
    const { value, grad } = smoothTopkLossValueAndGrad(scores, 0, { k: 100 });
    // All equal: sigma_k / sigma_{k-1} = (n - k) / k over n - 1 entries, and every pi^(k) - pi^(k-1) = 1 / (n - 1).
    const odds = (Math.E * 9900) / 100;
    expect(errorInU(value, Math.log1p(odds))).toBeLessThanOrEqual(16);
    expect(errorInU(grad.data[1], odds / (1 + odds) / 100 / 9999)).toBeLessThanOrEqual(6400);
  });
});
