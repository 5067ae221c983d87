/**
 * Optimisers against their definitions, and what they promise of trees, precision and purity.
 */
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import {
  adam,
  add,
  type FloatArray,
  grad,
  mul,
  type Operand,
  type Optimiser,
  sgd,
  sub,
  sum,
  type Tensor,
} from "../index.ts";

const number = fc.double({ min: -3, max: 3, noNaN: true });
const vector = fc.array(number, { minLength: 3, maxLength: 3 });
const runs = fc.record({
  start: vector,
  slopes: fc.array(vector, { minLength: 1, maxLength: 5 }),
  learningRate: fc.double({ min: 1e-3, max: 1, noNaN: true }),
  weightDecay: fc.double({ min: 0, max: 0.1, noNaN: true }),
});

/** All parameters after a step for each of the slopes. */
function trajectory(optimiser: Optimiser, start: number[], slopes: number[][]): number[][] {
  let params = { w: ndarray(Float64Array.from(start), [start.length]) };
  let state = optimiser.init(params);
  return slopes.map((slope) => {
    ({ params, state } = optimiser.update(params, { w: ndarray(Float64Array.from(slope), [slope.length]) }, state));
    return [...params.w.data];
  });
}

/** Both sides take the same few dozen roundings in another order, on numbers below 100 (5 steps of at most 1 times 6 and more). */
function expectClose(actual: number[][], expected: number[][]): void {
  for (const [t, row] of actual.entries()) {
    for (const [i, value] of row.entries())
      expect(Math.abs(value - expected[t][i])).toBeLessThanOrEqual(100 * 64 * 2 ** -53);
  }
}

describe("sgd", () => {
  const settings = fc.record({ momentum: fc.double({ min: 0, max: 0.95, noNaN: true }), nesterov: fc.boolean() });

  it("steps along the sum of past gradients, each momentum times weaker than the next", () => {
    fc.assert(
      fc.property(runs, settings, ({ start, slopes, learningRate, weightDecay }, { momentum, nesterov }) => {
        const actual = trajectory(sgd({ learningRate, weightDecay, momentum, nesterov }), start, slopes);
        const expected: number[][] = [];
        const past: number[][] = [];
        for (const slope of slopes) {
          const before = expected.at(-1) ?? start;
          past.push(slope.map((g, i) => g + weightDecay * before[i]));
          const t = past.length - 1;
          const velocity = (i: number): number => past.reduce((v, g, s) => v + momentum ** (t - s) * g[i], 0);
          expected.push(
            before.map((p, i) => p - learningRate * (nesterov ? past[t][i] + momentum * velocity(i) : velocity(i))),
          );
        }
        expectClose(actual, expected);
      }),
    );
  });
});

describe("adam", () => {
  it("steps along weighted means of past gradients over the root of that of their squares", () => {
    fc.assert(
      fc.property(runs, ({ start, slopes, learningRate, weightDecay }) => {
        const [beta1, beta2, epsilon] = [0.8, 0.95, 1e-2];
        const actual = trajectory(adam({ learningRate, weightDecay, beta1, beta2, epsilon }), start, slopes);
        const expected: number[][] = [];
        const past: number[][] = [];
        // The corrections make the moments means: their weights beta^(t - s) are divided by their sum.
        const mean = (beta: number, values: number[]): number => {
          const weights = values.map((_, s) => beta ** (values.length - 1 - s));
          const total = weights.reduce((all, w) => all + w, 0);
          return values.reduce((all, v, s) => all + weights[s] * v, 0) / total;
        };
        for (const slope of slopes) {
          const before = expected.at(-1) ?? start;
          past.push(slope.map((g, i) => g + weightDecay * before[i]));
          expected.push(
            before.map((p, i) => {
              const gradients = past.map((g) => g[i]);
              const spread = Math.sqrt(
                mean(
                  beta2,
                  gradients.map((g) => g * g),
                ),
              );
              return p - (learningRate * mean(beta1, gradients)) / (spread + epsilon);
            }),
          );
        }
        // An error of 64 u in a moment is divided by epsilon = 1/100 at worst.
        expectClose(
          actual.map((row) => row.map((v) => v / 100)),
          expected.map((row) => row.map((v) => v / 100)),
        );
      }),
    );
  });

  it("first moves every parameter by the learning rate, against the sign of its gradient", () => {
    const [after] = trajectory(adam({ learningRate: 0.125, epsilon: 0 }), [1, 2, 3], [[1e-8, -5, 1e8]]);
    // m' / sqrt(v') is +-1 but for the roundings of the two corrections
    expect(after).toEqual([1 - 0.125, 2 + 0.125, 3 - 0.125].map((v) => expect.closeTo(v, 14)));
  });
});

describe("every optimiser", () => {
  const optimisers: [string, Optimiser][] = [
    ["sgd", sgd({ learningRate: 0.1, momentum: 0.5 })],
    ["adam", adam({ learningRate: 0.1 })],
  ];

  it.each(optimisers)("%s finds the minimum of a quadratic function of a tree", (_name, optimiser) => {
    const target = ndarray(Float64Array.of(1, -2), [2]);
    const f = (p: { a: Tensor; b: readonly Operand[] }): Operand => {
      const [da, db] = [sub(p.a, target), sub(p.b[0], 3)];
      return add(sum(mul(da, da)), mul(db, db));
    };
    let params = { a: ndarray(Float64Array.of(0, 0), [2]), b: [0] };
    let state = optimiser.init(params);
    const rate = (step: number): number => 0.3 * 0.97 ** step;
    for (let step = 0; step < 200; step++) {
      ({ params, state } = optimiser.update(params, grad(f)(params), state, rate(step)));
    }
    // A gradient step at rate r shrinks the distance by 1 - 2 r, to below exp(-2 sum of r) = 3e-9 in all; Adam's step is as
    // long as the rate, however near it is, and its averages lag by about 1 / (1 - beta1) = 10 steps.
    const distance = [1, -2, 3].map((v, i) => Math.abs([...params.a.data, params.b[0]][i] - v));
    expect(Math.max(...distance)).toBeLessThan(10 * rate(200));
  });

  it.each(optimisers)("%s keeps precision and shape and changes nothing it is given", (_name, optimiser) => {
    const params = { w: ndarray(Float32Array.of(1, 2, 3, 4), [2, 2]).transpose(1, 0), scale: 5 };
    const grads = { w: ndarray(Float32Array.of(1, 1, 1, 2), [2, 2]), scale: 1 };
    const state = optimiser.init(params);
    const copy = structuredClone({ params: params.w.data, grads: grads.w.data, state });
    const after = optimiser.update(params, grads, state).params;
    expect({ params: params.w.data, grads: grads.w.data, state }).toEqual(copy);
    expect(after.w.data).toBeInstanceOf(Float32Array);
    expect(after.w.shape).toEqual([2, 2]);
    expect(after.scale).toBeLessThan(5);
    // element [0, 1] is 3 in the transposed view, and its gradient 1
    expect((after.w as FloatArray).get(0, 1)).toBeLessThan(3);
    expect((after.w as FloatArray).get(0, 1)).toBeGreaterThan(2.8);
  });
});
