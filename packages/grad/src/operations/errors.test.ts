/**
 * Errors name the operation, the argument, what it is and what was expected.
 */
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import * as g from "../index.ts";
import type { Tensor } from "../index.ts";

const zeros = (...shape: number[]): ReturnType<typeof ndarray<Float64Array>> =>
  ndarray(new Float64Array(shape.reduce((size, extent) => size * extent, 1)), shape);
const a23 = zeros(2, 3);
const integers = ndarray(Int32Array.of(1, 2), [2]);
const params = { w: zeros(2), b: [zeros(3)] };
const state = g.sgd({ learningRate: 1 }).init(params);

const cases: [string, () => unknown, string][] = [
  ["add", () => g.add(a23, zeros(2)), "add: y has shape [2], which does not broadcast with x of shape [2, 3]"],
  ["broadcastTo", () => g.broadcastTo(a23, [3]), "broadcastTo: x has shape [2, 3], which does not broadcast to [3]"],
  [
    "matmul",
    () => g.matmul(a23, a23),
    "matmul: b has shape [2, 3] and a has shape [2, 3], expected an inner extent of 3",
  ],
  ["matmul of cubes", () => g.matmul(zeros(1, 1, 1), a23), "expected matrices or vectors"],
  ["sum", () => g.sum(a23, 2), "sum: axis is 2, expected one of the 2 axes of shape [2, 3]"],
  ["logSumExp", () => g.logSumExp(a23, [0, 0.5]), "logSumExp: axis is 0.5"],
  [
    "reshape",
    () => g.reshape(a23, [4, -1]),
    "reshape: x has shape [2, 3], which does not have the elements of shape [4, -1]",
  ],
  [
    "transpose",
    () => g.transpose(a23, [0, 0]),
    "transpose: axes is [0, 0], expected a permutation of the axes of x, shape [2, 3]",
  ],
  ["slice", () => g.slice(a23, [0, 1], [1, 4]), "slice: [0, 1] to [1, 4] is not a part of x of shape [2, 3]"],
  [
    "concatenate",
    () => g.concatenate([a23, zeros(3, 2)], 0),
    "concatenate: xs[1] has shape [3, 2], which differs from xs[0] of shape [2, 3] beyond axis 0",
  ],
  ["concatenate of nothing", () => g.concatenate([], 0), "concatenate: xs is empty"],
  ["gather", () => g.gather(a23, [0, 3], 1), "gather: indices[1] is 3, expected an integer in [0, 2]"],
  [
    "takeAlongAxis",
    () => g.takeAlongAxis(a23, zeros(3, 3), 1),
    "takeAlongAxis: indices has shape [3, 3], expected that of x, [2, 3], but for axis 1",
  ],
  [
    "conv2d",
    () => g.conv2d(zeros(1, 2, 4, 4), zeros(1, 3, 2, 2)),
    "conv2d: w has shape [1, 3, 2, 2] and x has shape [1, 2, 4, 4], expected [outputs, 2, height, width]",
  ],
  [
    "conv2d of a small image",
    () => g.conv2d(zeros(1, 1, 2, 2), zeros(1, 1, 5, 5), { padding: 1 }),
    "conv2d: a window of [5, 5] does not fit in x of shape [1, 1, 2, 2] padded by [1, 1]",
  ],
  ["conv2d's stride", () => g.conv2d(zeros(1, 1, 2, 2), zeros(1, 1, 1, 1), { stride: 0 }), "conv2d: stride is 0, 0"],
  [
    "maxPool2d",
    () => g.maxPool2d(a23, { size: 2 }),
    "maxPool2d: x has shape [2, 3], expected [batch, channels, rows, columns]",
  ],
  ["pow", () => g.pow(2, a23 as never), "pow: p is a object, expected a constant number"],
  ["logEsp", () => g.logEsp(zeros(1, 1, 1), 1), "logEsp: x has shape [1, 1, 1], expected [n] or [batch, n]"],
  ["logEsp's k", () => g.logEsp(zeros(3), 4), "logEsp: k must be at most n: got k = 4, n = 3"],
  ["logEspRatio's k", () => g.logEspRatio(zeros(3), 0), "logEspRatio: k must be at least 1: got k = 0"],
  [
    "integers",
    () => g.exp(integers),
    "exp: x is an ndarray of int32, expected a number or an ndarray of float64 or float32",
  ],
  [
    "a list",
    () => g.add(1, [1, 2] as never),
    "add: y is an array, expected a number or an ndarray of float64 or float32",
  ],
  ["no operand", () => g.sum("1" as never), "an operand is string, expected a number or an ndarray"],
  [
    "grad of a vector",
    () => g.grad((x: Tensor) => x)(zeros(3)),
    "grad: the function returned shape [3], expected a scalar, shape []",
  ],
  ["grad of nothing", () => g.grad((() => undefined) as never)(zeros(3) as never), "returned a undefined"],
  [
    "a cotangent",
    () => g.vjp((x: Tensor) => x, zeros(3)).vjp(zeros(2)),
    "vjp: the cotangent has shape [2], expected that of the value, [3]",
  ],
  ["a tree", () => g.grad((x: { a: number }) => x.a)({ a: "1" } as never), "vjp: x[0].a is a string"],
  [
    "hvp",
    () => g.hvp((x: { w: Tensor }) => g.sum(x.w), { w: zeros(3) }, { w: zeros(2) }),
    "hvp: v.w has shape [2], expected that of x.w, [3]",
  ],
  [
    "an optimiser's setting",
    () => g.sgd({ learningRate: 0.1, momentum: 1 }),
    "sgd: momentum is 1, expected a number in [0, 1)",
  ],
  [
    "an optimiser's gradients",
    () => g.sgd({ learningRate: 1 }).update(params, { w: zeros(2), b: [zeros(2)] }, state),
    "sgd: grads has grads.b[0] of shape [2] where params.b[0] has shape [3]",
  ],
];

describe("an error", () => {
  it.each(cases)("of %s says what is wrong", (_name, run, message) => {
    expect(run).toThrow(message);
  });

  it("meets a traced value that outlives its vjp", () => {
    let kept: Tensor | undefined;
    g.grad((x: Tensor) => ((kept = x), g.sum(x)))(zeros(2));
    expect(() => g.exp(kept as Tensor)).toThrow("exp: a traced value was used after its vjp had ended");
  });

  it("in a differentiated function leaves the levels as they were", () => {
    const broken: (x: Tensor) => Tensor = g.grad(() => {
      throw new Error("broken");
    });
    expect(() => broken(zeros(1))).toThrow("broken");
    expect(g.grad((x: g.Operand) => g.grad((y: g.Operand) => g.mul(x, y))(1))(3)).toBe(1);
  });
});
