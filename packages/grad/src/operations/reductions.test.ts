import ndarray from "ndarray";
import { expect, it } from "vitest";
import { type FloatArray, grad, max, mean, mul, sum, type Tensor } from "../index.ts";

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
