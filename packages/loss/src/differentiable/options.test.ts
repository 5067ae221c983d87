/**
 * The differentiable losses take what the fused functions of the package take, and mean the same by it.
 */
import { grad, hvp, matmul, sum, type Tensor, valueAndGrad } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";
import { describe, expect, it } from "vitest";
import { U } from "../../testing/instances.ts";
import * as plain from "../index.ts";
import { composedCrossEntropy } from "./composed/cross-entropy.ts";
import { composedSmoothTopkLoss } from "./composed/smooth-topk-loss.ts";
import { composedTopkLoss } from "./composed/topk-loss.ts";
import * as differentiable from "./index.ts";

const scores = ndarray(Float64Array.of(0.5, 2, -1, 0, 3, 1, 0.25, -2, 0, -Infinity, 1, 1, 0.5, 0.5, 0.5, 1), [4, 4]);
const labels = [0, 2, 3, 1];
const k = 2;

type AnyLoss = (s: never, y: plain.Labels, options: object) => unknown;

/** A loss that lacks some of the parameters that the cases below name. */
function without<F extends AnyLoss>(names: readonly (keyof plain.SmoothTopkOptions)[], f: F): F {
  const kept = (options: object): object =>
    Object.fromEntries(Object.entries(options).filter(([name]) => !(names as readonly string[]).includes(name)));
  return ((s: never, y: plain.Labels, options: object = {}) => f(s, y, kept(options))) as unknown as F;
}

interface Loss {
  readonly loss: string;
  readonly form: string;
  readonly reference: typeof plain.smoothTopkLossValueAndGrad;
  readonly f: typeof differentiable.smoothTopkLoss;
}
type Options = plain.SmoothTopkOptions;

const losses: Loss[] = [
  {
    loss: "smooth top-k loss",
    form: "composed",
    reference: plain.smoothTopkLossValueAndGrad,
    f: composedSmoothTopkLoss,
  },
  {
    loss: "smooth top-k loss",
    form: "fused",
    reference: plain.smoothTopkLossValueAndGrad,
    f: differentiable.smoothTopkLoss,
  },
  {
    loss: "hard top-k loss",
    form: "composed",
    reference: without(["tau"], plain.topkLossValueAndGrad),
    f: without(["tau"], composedTopkLoss),
  },
  {
    loss: "hard top-k loss",
    form: "fused",
    reference: without(["tau"], plain.topkLossValueAndGrad),
    f: without(["tau"], differentiable.topkLoss),
  },
  {
    loss: "cross-entropy",
    form: "composed",
    reference: without(["k", "tau", "alpha"], plain.crossEntropyValueAndGrad),
    f: without(["k", "tau", "alpha"], composedCrossEntropy),
  },
  {
    loss: "cross-entropy",
    form: "fused",
    reference: without(["k", "tau", "alpha"], plain.crossEntropyValueAndGrad),
    f: without(["k", "tau", "alpha"], differentiable.crossEntropy),
  },
];

/** Each within 64 k u of the same numbers, and a reduction adds a rounding a sample. */
const BOUND = 256 * k * U;

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound = BOUND): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(bound * Math.abs(expected[i]));
  }
}

/** The elements in row-major order. */
function elements(x: Tensor | number): number[] {
  if (typeof x === "number") return [x];
  const array = x as NdArray;
  if (array.shape.length === 0) return [array.get()];
  if (array.shape.length === 1) return Array.from({ length: array.shape[0] }, (_, i) => array.get(i));
  return Array.from({ length: array.shape[0] }, (_, b) => elements(array.pick(b))).flat();
}

describe.each(losses)("$loss, $form", ({ f, reference }) => {
  it.each<[string, Options]>([
    ["the mean", {}],
    ["the sum", { reduction: "sum" }],
    ["weights", { weights: [2, 0.25, 0, 1] }],
    ["weights and the sum", { weights: Float32Array.of(2, 0.25, 0, 1), reduction: "sum" }],
    ["ignored samples", { ignoreIndex: 2 }],
    ["ignored samples and weights", { ignoreIndex: 2, weights: [1, 5, 2, 3] }],
    ["a margin", { alpha: 0.5 }],
    ["a temperature", { tau: 0.25 }],
  ])("%s", (_, given) => {
    const options = { k, ...given };
    const { value, grad: slope } = valueAndGrad((x: Tensor) => f(x, labels, options))(scores);
    const expected = reference(scores, labels, options);
    expectClose([value], [expected.value as number]);
    expectClose(elements(slope), elements(expected.grad));
    expectClose(elements(f(scores, labels, options)), [expected.value as number]);
  });

  it("without reduction, one loss per sample, each with the gradient of its own row", () => {
    const options = { k, weights: [2, 0.25, 0, 1], ignoreIndex: 2, reduction: "none" } as const;
    const expected = reference(scores, labels, options);
    const values = f(scores, labels, options);
    expect(values.shape).toEqual([4]);
    expectClose(elements(values), expected.value);
    expectClose(elements(grad((x: Tensor) => sum(f(x, labels, options)))(scores)), elements(expected.grad));
  });

  it("one sample as a vector", () => {
    const vector = ndarray(Float64Array.of(2, 1, 0.5, -1), [4]);
    const { value, grad: slope } = valueAndGrad((x: Tensor) => f(x, 1, { k }))(vector);
    const expected = reference(vector, 1, { k });
    expectClose([value], [expected.value]);
    expect(slope.shape).toEqual([4]);
    expectClose(elements(slope), elements(expected.grad));
    expect(f(vector, 1, { k, reduction: "none" }).shape).toEqual([1]);
  });

  it("views with any strides, unchanged", () => {
    const data = Float64Array.from({ length: 24 }, (_, i) => Math.sin(3 * i));
    const before = data.slice();
    const view = ndarray(data, [3, 4], [1, 6], 1);
    const { value, grad: slope } = valueAndGrad((x: Tensor) => f(x, [0, 1, 3], { k }))(view);
    const expected = reference(view, [0, 1, 3], { k });
    expectClose([value], [expected.value]);
    expectClose(elements(slope), elements(expected.grad));
    expect(data).toEqual(before);
  });

  it("single precision comes back from single precision", () => {
    const single = ndarray(Float32Array.from(scores.data), [4, 4]);
    const options = { k, reduction: "none" } as const;
    const values = f(single, labels, options) as NdArray;
    expect(values.data).toBeInstanceOf(Float32Array);
    const slope = grad((x: Tensor) => f(x, labels, { k }))(single) as NdArray;
    expect(slope.data).toBeInstanceOf(Float32Array);
    // Computed in double precision and rounded once, or twice with the factor of the mean.
    const expected = reference(ndarray(Float64Array.from(single.data), [4, 4]), labels, { k });
    expectClose(elements(slope), elements(expected.grad), 2 ** -23 + BOUND);
  });

  it("a mean of samples that all are ignored is refused, and their sum is 0", () => {
    const options = { k, ignoreIndex: 7 };
    const none = [7, 7, 7, 7];
    expect(() => f(scores, none, options)).toThrow(
      "the weights of the samples that count sum to 0, the mean is undefined",
    );
    const { value, grad: slope } = valueAndGrad((x: Tensor) => f(x, none, { ...options, reduction: "sum" }))(scores);
    expect(value).toBe(0);
    expect(elements(slope)).toEqual(Array.from({ length: 16 }, () => 0));
  });

  it("bad arguments are refused under a gradient too, by name", () => {
    const lossOf = (y: number[]) => () => grad((x: Tensor) => f(x, y, { k }))(scores);
    expect(lossOf([0, 2, 3, 4])).toThrow(/: labels\[3\] is 4, expected an integer in \[0, 3\]$/);
    expect(lossOf([0, 2, 1, 1])).toThrow(/: labels\[2\] is 1, a masked class: scores\[2, 1\] is -Infinity$/);
  });

  it("gradients flow on to what the scores come from", () => {
    const features = ndarray(Float64Array.of(1, -0.5, 0.25, 2, 0.5, 1), [3, 2]);
    const weights = ndarray(Float64Array.of(0.5, 1, -1, 0.25, 1, -0.5, 0.75, 0.125), [2, 4]);
    const slope = grad((w: Tensor) => f(matmul(features, w), [0, 1, 3], { k }))(weights);
    const ofScores = reference(matmul(features, weights) as NdArray, [0, 1, 3], { k }).grad;
    // Sums of three products, of terms of both signs of at most 1.
    const expected = Array.from({ length: 8 }, (_, at) =>
      [0, 1, 2].reduce((total, b) => total + features.get(b, Math.floor(at / 4)) * ofScores.get(b, at % 4), 0),
    );
    elements(slope).forEach((g, i) => expect(Math.abs(g - expected[i])).toBeLessThanOrEqual(4 * BOUND));
  });

  it("the Hessian of a batch is that of its rows, side by side", () => {
    const v = ndarray(
      Float64Array.from({ length: 16 }, (_, i) => Math.cos(2 * i)),
      [4, 4],
    );
    const options = { k, ignoreIndex: 2, weights: [2, 1, 0.5, 1], tau: 0.5 };
    const product = hvp((x: Tensor) => f(x, labels, { ...options, reduction: "sum" }), scores, v) as NdArray;
    for (let b = 0; b < 4; b++) {
      const alone = (x: Tensor): Tensor => f(x, labels[b], { k, tau: 0.5, reduction: "sum" });
      const row = hvp(alone, scores.pick(b), v.pick(b)) as NdArray;
      const weight = labels[b] === 2 ? 0 : options.weights[b];
      // The same computation; products with powers of two are exact.
      for (let i = 0; i < 4; i++) expect(product.get(b, i) === weight * row.get(i)).toBe(true);
    }
  });
});

describe("masked classes", () => {
  const few = ndarray(Float64Array.of(1, -Infinity, 0, -Infinity), [4]);
  it.each([composedSmoothTopkLoss, differentiable.smoothTopkLoss, composedTopkLoss, differentiable.topkLoss])(
    "%o: loss and derivatives are 0 where fewer than k others are left",
    (f) => {
      expect(elements(f(few, 0, { k: 2 }))).toEqual([0]);
      expect(elements(grad((x: Tensor) => f(x, 0, { k: 2 }))(few)).map(Math.abs)).toEqual([0, 0, 0, 0]);
      const v = ndarray(Float64Array.of(1, 2, 3, 4), [4]);
      expect(elements(hvp((x: Tensor) => f(x, 0, { k: 2 }), few, v)).map(Math.abs)).toEqual([0, 0, 0, 0]);
    },
  );

  it("a single class has cross-entropy 0 and gradient 0", () => {
    const one = ndarray(Float64Array.of(3), [1]);
    for (const f of [composedCrossEntropy, differentiable.crossEntropy]) {
      const { value, grad: slope } = valueAndGrad((x: Tensor) => f(x, 0))(one);
      expect([value, Math.abs(elements(slope)[0])]).toEqual([0, 0]);
    }
  });
});
