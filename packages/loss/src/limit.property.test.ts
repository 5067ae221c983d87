/**
 * How far the smooth loss is from the hard one: docs/properties.md, section 3.
 *
 * M = alpha + (s_[k] - s_y) / k is rounded here, which moves tau log(1 + R exp(M / tau)) by no more than M: 8 u of the
 * sizes that it subtracts (`sensitivity`) pay for that, for the functions of it and for the loss.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomial, instance, kthOther, sensitivity, U } from "../testing/instances.ts";
import { smoothTopkLoss, smoothTopkLossValueAndGrad, topkLoss, topkLossValueAndGrad } from "./index.ts";

function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

describe("the smooth loss against the hard one", () => {
  it("lies between tau log(1 + exp(M / tau) / k) and tau log(1 + (n - k) exp(M / tau))", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, tau, alpha } = c;
        const loss = smoothTopkLoss(s, y, { k, tau, alpha });
        const margin = (alpha + (kthOther(c) - s[y]) / k) / tau;
        const slack = 8 * U * sensitivity(c);
        expect(loss).toBeGreaterThanOrEqual(tau * softplus(margin - Math.log(k)) - slack);
        expect(loss).toBeLessThanOrEqual(tau * softplus(margin + Math.log(s.length - k)) + slack);
      }),
    );
  });

  it("is at most tau log k below and tau log(n - k + 1) above it", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, tau, alpha } = c;
        const difference = smoothTopkLoss(s, y, { k, tau, alpha }) - topkLoss(s, y, { k, alpha });
        const slack = 8 * U * sensitivity(c);
        expect(difference).toBeGreaterThanOrEqual(-tau * Math.log(k) - slack);
        expect(difference).toBeLessThanOrEqual(tau * Math.log(s.length - k + 1) + slack);
      }),
    );
  });

  it("reaches both ends", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(), fc.constantFrom(0.01, 1, 100), (n, at, tau) => {
        const k = 1 + (at % (n - 1));
        // exp(-far / (k tau)) is below u / 2^n.
        const far = 64 * k * tau;
        const others = (above: number, below: number): number[] =>
          Array.from({ length: n - 1 }, (_, i) => (i < k - 1 ? above : i === k - 1 ? 0 : below));
        const difference = (scores: number[]): number =>
          (smoothTopkLoss(scores, 0, { k, tau, alpha: 0 }) - topkLoss(scores, 0, { k, alpha: 0 })) / tau;
        // Scores of up to 64 k tau are subtracted: over k tau, 64 u each, and the logarithms.
        const bound = 256 * U;
        // M = 0: the label ties with s_[k].
        expect(Math.abs(difference([0, ...others(far, 0)]) - Math.log(n - k + 1))).toBeLessThanOrEqual(bound);
        // M -> infinity: the label far below.
        expect(Math.abs(difference([-far, ...others(0, -far)]) + Math.log(k))).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("is exponentially close to it away from ties", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, tau, alpha } = c;
        const n = s.length;
        const sorted = s.toSpliced(y, 1).toSorted((a, b) => b - a);
        const gap = Math.min(
          k >= 2 ? sorted[k - 2] - sorted[k - 1] : Infinity,
          k < n - 1 ? sorted[k - 1] - sorted[k] : Infinity,
        );
        const margin = Math.abs(alpha + (sorted[k - 1] - s[y]) / k);
        const bound =
          tau * (Math.log1p(Math.exp(-margin / tau)) + Math.log1p(binomial(n, k) * Math.exp(-gap / (k * tau))));
        const difference = smoothTopkLoss(s, y, { k, tau, alpha }) - topkLoss(s, y, { k, alpha });
        expect(Math.abs(difference)).toBeLessThanOrEqual(bound + 8 * U * sensitivity(c));
      }),
    );
  });

  it("has its gradient in the limit, ties shared", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, alpha } = c;
        const kth = kthOther(c);
        const gaps = s.filter((v, i) => i !== y && v !== kth).map((v) => Math.abs(v - kth));
        const margin = alpha + (kth - s[y]) / k;
        // What is left at tau = 2^-20 is exp(-gap / (k tau)) and exp(-margin / tau), below 2^-1000.
        fc.pre(Math.abs(margin) > 1e-3 && Math.min(Infinity, ...gaps) > 1e-3 * k);
        const limit = topkLossValueAndGrad(s, y, { k, alpha }).grad.data;
        const cold = smoothTopkLossValueAndGrad(s, y, { k, tau: 2 ** -20, alpha }).grad.data;
        cold.forEach((g, i) => expect(Math.abs(g - limit[i])).toBeLessThanOrEqual(64 * k * U));
      }),
    );
  });
});
