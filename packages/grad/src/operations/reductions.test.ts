import ndarray from "ndarray";
import { expect, it } from "vitest";
import {
  type FloatArray,
  grad,
  logSumExp,
  max,
  maxPool2d,
  mean,
  mul,
  type Operand,
  relu,
  sum,
  type Tensor,
  withNanGuard,
  log,
} from "../index.ts";

const x = ndarray(Float64Array.of(3, 1, 3, 2, 2, 2), [2, 3]);

it("max shares the cotangent equally among the largest elements", () => {
  const weights = ndarray(Float64Array.of(1, 6), [2]);
  expect([...grad((t: Tensor) => sum(mul(weights, max(t, 1))))(x).data]).toEqual([0.5, 0, 0.5, 2, 2, 2]);
  expect([...grad((t: Tensor) => max(t))(x).data]).toEqual([0.5, 0, 0.5, 0, 0, 0]);
});

it("reductions take one axis, several, or all", () => {
  const list = (t: Tensor): number[] => [...(t as FloatArray).data];
  expect(list(sum(x))).toEqual([13]);
  expect(list(sum(x, [0, 1]))).toEqual([13]);
  expect(list(sum(x, []))).toEqual([...x.data]);
  expect(list(sum(x, 0))).toEqual([5, 3, 5]);
  expect(list(sum(x, -1))).toEqual([7, 6]);
  expect(list(mean(x, 1))).toEqual([7 / 3, 2]);
  expect(list(max(x, 0))).toEqual([3, 2, 3]);
  expect(sum(x).shape).toEqual([]);
});

it("sums in single precision are rounded once", () => {
  // 2^24 + 1 + 1 - 2^24, where adding in single precision would lose both ones.
  const single = ndarray(Float32Array.of(2 ** 24, 1, 1, -(2 ** 24)), [4]);
  expect((sum(single) as FloatArray).get()).toBe(2);
});

const row = (...values: number[]): FloatArray => ndarray(Float64Array.from(values), [values.length]);
const single = (...values: number[]): FloatArray => ndarray(Float32Array.from(values), [values.length]);
const list = (t: Operand): number[] => [...(t as FloatArray).data];

it.each([
  ["max", (t: Tensor) => max(t)],
  ["sum", (t: Tensor) => sum(t)],
  ["mean", (t: Tensor) => mean(t)],
  ["logSumExp", (t: Tensor) => logSumExp(t)],
  ["relu", (t: Tensor) => sum(relu(t))],
])("%s passes a NaN on, wherever it is, and so does its gradient", (_name, f) => {
  for (const values of [
    [NaN, 5, 3],
    [5, NaN, 3],
    [5, 3, NaN],
  ]) {
    expect(list(f(row(...values)))).toEqual([NaN]);
    const squared = (t: Tensor): Operand => sum(mul(f(t), f(t)));
    const gradient = list(grad(squared)(row(...values)));
    expect(gradient[values.findIndex(Number.isNaN)]).toBeNaN();
  }
});

it("maxPool2d passes a NaN on from any place of a window", () => {
  for (let at = 0; at < 4; at++) {
    const image = ndarray(
      Float64Array.from([1, 2, 3, 4], (v, i) => (i === at ? NaN : v)),
      [1, 1, 2, 2],
    );
    expect(list(maxPool2d(image, { size: [2, 2] }))).toEqual([NaN]);
  }
});

it("the guard names the primitive where a NaN arises below a maximum", () => {
  expect(() => withNanGuard(() => max(log(row(5, -1, 3))))).toThrow("log: NaN at [1]");
});

// Each term rounds by u in the exponential, u in the sum and u in the division: 3 u of the sum, 1, and as much for the test's own.
it.each([1, 1e6, 1e12, 1e16, 1e300])("the gradient of logSumExp sums to 1 at %d, whatever is subtracted", (m) => {
  for (const scores of [row(m, m, m - 1), row(m, m / 2, -Infinity, m)]) {
    const gradient = list(grad((t: Tensor) => logSumExp(t))(scores));
    expect(Math.abs(gradient.reduce((a, b) => a + b) - 1)).toBeLessThanOrEqual(6 * 2 ** -53);
    expect(gradient[0]).toBeGreaterThan(0);
  }
});

it("the gradient of logSumExp in single precision sums to 1 at 1e7, each entry rounded once", () => {
  const gradient = list(grad((t: Tensor) => logSumExp(t))(single(1e7, 1e7, 1e7 - 1)));
  const e = Math.exp(-1);
  const exact = [1, 1, e].map((v) => v / (2 + e));
  for (const [i, v] of exact.entries()) expect(Math.abs(gradient[i] - v)).toBeLessThanOrEqual(1.001 * 2 ** -24 * v);
});

it("logSumExp of nothing but -Infinity is -Infinity, with zero gradients to second order", () => {
  const removed = row(-Infinity, -Infinity);
  const f = (t: Tensor): Operand => logSumExp(t);
  expect(list(logSumExp(removed))).toEqual([-Infinity]);
  expect(list(grad(f)(removed))).toEqual([0, 0]);
  expect(list(grad((t: Tensor) => sum(grad(f)(t)))(removed)).map(Math.abs)).toEqual([0, 0]);
});
