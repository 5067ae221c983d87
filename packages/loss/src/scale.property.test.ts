/**
 * Losses of one another at other scales: docs/properties.md, sections 1 and 5.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instance, kthOther, sensitivity, U } from "../testing/instances.ts";
import { crossEntropy, smoothTopkLoss, smoothTopkLossValueAndGrad, topkLoss } from "./index.ts";

const factor = fc.constantFrom(2 ** -20, 0.25, 2, 1024);

describe("the scale of the scores", () => {
  // Powers of two round nothing: both losses are within 9 u of the same number, both gradients within 64 k u.
  it("scores, temperature and margin times c give c times the loss and the same gradient", () => {
    fc.assert(
      fc.property(instance, factor, ({ s, y, k, tau, alpha }, c) => {
        const one = smoothTopkLossValueAndGrad(s, y, { k, tau, alpha });
        const scaled = s.map((v) => c * v);
        const other = smoothTopkLossValueAndGrad(scaled, y, { k, tau: c * tau, alpha: c * alpha });
        expect(Math.abs(other.value - c * one.value)).toBeLessThanOrEqual(18 * U * c * one.value);
        const g = one.grad.data;
        other.grad.data.forEach((v, i) =>
          expect(Math.abs(v - g[i])).toBeLessThanOrEqual(128 * k * U * Math.abs(g[i]) + 1e-280),
        );
      }),
    );
  });

  // k s is rounded: by u of itself, in the margin and here.
  it("the paper's hard loss is this one at k times the scores, or at margin 1 / k times k", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k } = c;
        const paper = Math.max(0, 1 + kthOther(c) - s[y]);
        const bound = 8 * U * (1 + 2 * Math.max(...s.map(Math.abs)));
        const scaled = s.map((v) => k * v);
        expect(Math.abs(topkLoss(scaled, y, { k, alpha: 1 }) - paper)).toBeLessThanOrEqual(bound);
        expect(Math.abs(k * topkLoss(s, y, { k, alpha: 1 / k }) - paper)).toBeLessThanOrEqual(k * bound);
      }),
    );
  });

  // (s_i + alpha) / tau is rounded twice, each time by u of its size, and tau times the cross-entropy moves by tau times that.
  it("k = 1 is tau times the cross-entropy of the scores over tau, the margin added to the other classes", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, tau, alpha } = c;
        const shifted = s.map((v, i) => (i === y ? v : v + alpha) / tau);
        const reference = tau * crossEntropy(shifted, y);
        const bound = 8 * U * sensitivity({ ...c, k: 1 });
        expect(Math.abs(smoothTopkLoss(s, y, { k: 1, tau, alpha }) - reference)).toBeLessThanOrEqual(bound);
      }),
    );
  });
});
