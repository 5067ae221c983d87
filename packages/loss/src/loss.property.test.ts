/**
 * What every loss must satisfy, as properties: docs/properties.md, sections 1, 2, 4 and 5.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instance, instance, sensitivity, U } from "../testing/instances.ts";
import {
  crossEntropy,
  crossEntropyValueAndGrad,
  smoothTopkLoss,
  smoothTopkLossValueAndGrad,
  topkAccuracy,
  topkLoss,
  topkLossValueAndGrad,
} from "./index.ts";

function loss({ s, y, k, tau, alpha }: Instance): number {
  return smoothTopkLoss(s, y, { k, tau, alpha });
}

function grad({ s, y, k, tau, alpha }: Instance): Float64Array {
  return smoothTopkLossValueAndGrad(s, y, { k, tau, alpha }).grad.data as Float64Array;
}

/** Two values that are each within bound / 2 u of the same number; below the normal range nothing is promised. */
function expectRelative(actual: number, expected: number, bound: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(bound * U * Math.abs(expected) + 1e-300);
}

/** All k-subsets of [0, n). */
function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const out: number[][] = [];
  for (let i = from; i < n; i++) for (const rest of subsets(n, k - 1, i + 1)) out.push([i, ...rest]);
  return out;
}

function logSumExp(values: number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

describe("the smooth top-k loss", () => {
  it("is its definition: log-sum-exp over all k-subsets, minus that over the subsets with y", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, tau, alpha } = c;
        const all = subsets(s.length, k);
        const score = (a: number[]): number => a.reduce((sum, i) => sum + s[i], 0) / k;
        const first = all.map((a) => ((a.includes(y) ? 0 : alpha) + score(a)) / tau);
        const second = all.filter((a) => a.includes(y)).map((a) => score(a) / tau);
        const definition = tau * (logSumExp(first) - logSumExp(second));
        // The definition's own rounding: k additions and C(n, k) terms at exponents of that size.
        const bound = (all.length + k + 8) * sensitivity(c) * U;
        expect(Math.abs(loss(c) - definition)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("does not depend on the order of the classes", () => {
    fc.assert(
      fc.property(instance, fc.infiniteStream(fc.nat()), (c, keys) => {
        const order = c.s.map((_, i) => ({ i, key: keys.next().value as number })).toSorted((a, b) => a.key - b.key);
        const moved = { ...c, s: order.map(({ i }) => c.s[i]), y: order.findIndex(({ i }) => i === c.y) };
        expectRelative(loss(moved), loss(c), 16);
        const before = grad(c);
        const after = grad(moved);
        order.forEach(({ i }, to) =>
          expect(Math.abs(after[to] - before[i])).toBeLessThanOrEqual(64 * c.k * U * Math.abs(before[i]) + 1e-280),
        );
      }),
    );
  });

  it("does not change when a constant is added to all scores", () => {
    fc.assert(
      fc.property(instance, fc.integer({ min: -1000, max: 1000 }), (c, shift) => {
        const moved = { ...c, s: c.s.map((v) => v + shift) };
        expectRelative(loss(moved), loss(c), 16);
        const before = grad(c);
        grad(moved).forEach((g, i) =>
          expect(Math.abs(g - before[i])).toBeLessThanOrEqual(64 * c.k * U * Math.abs(before[i]) + 1e-280),
        );
      }),
    );
  });

  it("has a gradient of sum 0, negative at y only and -w/k there, positive elsewhere", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const g = grad(c);
        const others = g.reduce((sum, v, i) => (i === c.y ? sum : sum + v), 0);
        expect(Math.abs(others + g[c.y])).toBeLessThanOrEqual((64 * c.k + c.s.length) * U * Math.abs(g[c.y]) + 1e-280);
        expect(g[c.y]).toBeLessThanOrEqual(0);
        expect(g[c.y]).toBeGreaterThanOrEqual(-1 / c.k);
        const spread = (Math.max(...c.s) - Math.min(...c.s)) / (c.k * c.tau);
        g.forEach((v, i) => {
          if (i === c.y) return;
          expect(v).toBeGreaterThanOrEqual(0);
          // Non-sparse as long as doubles can hold the entry.
          if (spread < 100 && g[c.y] < -1e-150) expect(v).toBeGreaterThan(0);
        });
      }),
    );
  });

  it("has the gradient that differences see", () => {
    fc.assert(
      fc.property(instance, (c) => {
        fc.pre(c.tau >= 0.1);
        const step = c.k * c.tau * 2 ** -15;
        const g = grad(c);
        c.s.forEach((v, i) => {
          const at = (d: number): number => loss({ ...c, s: c.s.with(i, v + d) });
          const numerical = (at(step) - at(-step)) / (2 * step);
          // Third derivatives are at most 1 / (k (k tau)^2) by size; rounding moves each value by 16 u of it.
          const bound = (step / (c.k * c.tau)) ** 2 + (16 * U * (loss(c) + sensitivity(c))) / step;
          expect(Math.abs(numerical - g[i])).toBeLessThanOrEqual(bound);
        });
      }),
    );
  });

  it("moves by at most (max d - min d) / k when the scores move by d", () => {
    fc.assert(
      fc.property(
        instance,
        fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 12, maxLength: 12 }),
        (c, steps) => {
          const d = c.s.map((_, i) => steps[i] / 16);
          const moved = { ...c, s: c.s.map((v, i) => v + d[i]) };
          const bound = (Math.max(...d) - Math.min(...d)) / c.k + 16 * U * Math.max(loss(c), loss(moved));
          expect(Math.abs(loss(moved) - loss(c))).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  it("falls in s_y and rises in every other score", () => {
    fc.assert(
      fc.property(instance, fc.nat(), fc.integer({ min: 1, max: 100 }), (c, at, step) => {
        const i = at % c.s.length;
        const raised = loss({ ...c, s: c.s.with(i, c.s[i] + step / 16) });
        if (i === c.y) expect(raised).toBeLessThanOrEqual(loss(c) * (1 + 16 * U));
        else expect(raised).toBeGreaterThanOrEqual(loss(c) * (1 - 16 * U));
      }),
    );
  });

  // Where s_[k] >= s_y, sigma_k / sigma_{k-1} >= 1 / sum over the k best of 1 / e_i >= e_[k] / k >= e_y / k, so
  // exp(z) >= exp(alpha / tau) / k: the scale of the bound. It is sharp: k classes equal to y, no others.
  it("bounds the top-k error, scaled by tau log(1 + exp(alpha / tau) / k), from above", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const wrong = 1 - topkAccuracy(c.s, c.y, { k: c.k });
        const a = c.alpha / c.tau - Math.log(c.k);
        const scale = c.tau * (Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))));
        expect(loss(c)).toBeGreaterThanOrEqual(scale * wrong * (1 - 32 * U));
      }),
    );
  });

  it("attains that bound", () => {
    expectRelative(smoothTopkLoss([1, 1, 1, 1], 0, { k: 3, tau: 0.5 }), 0.5 * Math.log1p(Math.exp(2) / 3), 16);
  });

  it("is the cross-entropy at k = 1, tau = 1, alpha = 0", () => {
    fc.assert(
      fc.property(instance, ({ s, y }) => {
        const smooth = smoothTopkLossValueAndGrad(s, y, { k: 1, tau: 1, alpha: 0 });
        const reference = crossEntropyValueAndGrad(s, y);
        expect(Math.abs(smooth.value - reference.value)).toBeLessThanOrEqual(16 * U * reference.value);
        const g = reference.grad.data;
        smooth.grad.data.forEach((v, i) => expect(Math.abs(v - g[i])).toBeLessThanOrEqual(80 * U * Math.abs(g[i])));
      }),
    );
  });

  it("does not see masked classes", () => {
    fc.assert(
      fc.property(instance, fc.nat(), (c, at) => {
        const i = at % (c.s.length + 1);
        const masked = { ...c, s: c.s.toSpliced(i, 0, -Infinity), y: c.y >= i ? c.y + 1 : c.y };
        expectRelative(loss(masked), loss(c), 16);
        expect(grad(masked)[i]).toBe(0);
      }),
    );
  });

  it("is 0 with gradient 0 where masking leaves fewer than k other classes", () => {
    const { value, grad: g } = smoothTopkLossValueAndGrad([1, -Infinity, 0, -Infinity], 0, { k: 2 });
    expect(value).toBe(0);
    expect([...g.data].every((v) => v === 0)).toBe(true);
    expect(topkLoss([1, -Infinity, 0, -Infinity], 0, { k: 2 })).toBe(0);
    expect(crossEntropy([1, -Infinity], 0)).toBe(0);
  });
});

describe("the hard top-k loss", () => {
  it("is its definition", () => {
    fc.assert(
      fc.property(instance, ({ s, y, k, alpha }) => {
        const kth = s.toSpliced(y, 1).toSorted((a, b) => b - a)[k - 1];
        const expected = Math.max(0, alpha + (kth - s[y]) / k);
        const size = alpha + Math.abs(kth / k) + Math.abs(s[y] / k);
        expect(Math.abs(topkLoss(s, y, { k, alpha }) - expected)).toBeLessThanOrEqual(4 * U * size);
      }),
    );
  });

  it("shares its subgradient between tied classes, as the smooth gradient does", () => {
    const g = topkLossValueAndGrad([0, 2, 2, 5, 2], 0, { k: 2 }).grad.data;
    expect([...g]).toEqual([-0.5, 1 / 6, 1 / 6, 0, 1 / 6]);
    const smooth = smoothTopkLossValueAndGrad([0, 2, 2, 5, 2], 0, { k: 2, tau: 1e-3 }).grad.data;
    smooth.forEach((v, i) => expect(Math.abs(v - g[i])).toBeLessThanOrEqual(128 * U));
  });

  it("has gradient 0 at the kink and beyond", () => {
    expect([...topkLossValueAndGrad([3, 1, 0], 0, { k: 1, alpha: 2 }).grad.data]).toEqual([0, 0, 0]);
  });
});
