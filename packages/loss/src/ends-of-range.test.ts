/**
 * Every finite double is a legal score: losses and gradients are right where they are representable, and infinite where the
 * loss itself is beyond the doubles. Expected values by hand: one term dominates all others by far.
 */
import { errorInU } from "@smooth-topk/conformance";
import { describe, expect, it } from "vitest";
import { crossEntropyValueAndGrad, smoothTopkLoss, smoothTopkLossValueAndGrad, topkLossValueAndGrad } from "./index.ts";

describe("the smooth loss", () => {
  it("takes differences that overflow once divided by k tau", () => {
    const { value, grad } = smoothTopkLossValueAndGrad([1e300, 0, 1], 1, { k: 1, tau: 1e-6 });
    expect(errorInU(value, 1e300)).toBeLessThanOrEqual(8);
    expect([...grad.data]).toEqual([1, -1, 0]);
  });

  it("takes differences that overflow themselves", () => {
    // (s_[2] - s_y) / k = 2e308 / 2, two classes tied at s_[2].
    const { value, grad } = smoothTopkLossValueAndGrad([1e308, 1e308, -1e308], 2, { k: 2, alpha: 0 });
    expect(errorInU(value, 1e308)).toBeLessThanOrEqual(8);
    expect([...grad.data]).toEqual([0.25, 0.25, -0.5]);
  });

  it("is infinite where the loss is", () => {
    expect(smoothTopkLoss([1e308, 1e308, -1e308], 2, { k: 1, alpha: 0 })).toBe(Infinity);
  });

  it("takes a margin near the largest double", () => {
    const { value } = smoothTopkLossValueAndGrad([1, 2, 3], 0, { k: 2, alpha: 1e308 });
    expect(errorInU(value, 1e308)).toBeLessThanOrEqual(8);
  });

  it("is 0 where the label leads by 1e308", () => {
    const { value, grad } = smoothTopkLossValueAndGrad([1e308, -1e308, -1e308, 3], 0, { k: 2, tau: 1e-200 });
    expect(value).toBe(0);
    expect([...grad.data].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it("is right where no centre between the scores is representable", () => {
    const scores = new Float64Array(5000).fill(-1e15);
    const loss = smoothTopkLoss(scores, 0, { k: 500, tau: 1e-9, alpha: 0 });
    expect(errorInU(loss, 2.302585092994046e-9)).toBeLessThanOrEqual(9);
  });
});

describe("cross-entropy", () => {
  it("is the difference of the scores where that is large", () => {
    const { value, grad } = crossEntropyValueAndGrad([1e305, 0, 0], 1);
    expect(value).toBe(1e305);
    expect([...grad.data]).toEqual([1, -1, 0]);
  });

  it("is infinite where the difference is, and 0 for the best class", () => {
    expect(crossEntropyValueAndGrad([1e308, -1e308, 0], 1).value).toBe(Infinity);
    expect(crossEntropyValueAndGrad([1e308, -1e308, 0], 0).value).toBe(0);
  });
});

describe("the hard loss", () => {
  it("takes differences that overflow", () => {
    const { value, grad } = topkLossValueAndGrad([1e308, 1e308, -1e308], 2, { k: 2, alpha: 0 });
    expect(value).toBe(1e308);
    expect([...grad.data]).toEqual([0.25, 0.25, -0.5]);
  });

  it("is infinite where the loss is", () => {
    expect(topkLossValueAndGrad([1e308, 1e308, -1e308], 2, { k: 1, alpha: 0 }).value).toBe(Infinity);
  });
});
