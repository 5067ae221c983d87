import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import {
  crossEntropy,
  crossEntropyValueAndGrad,
  smoothTopkLoss,
  smoothTopkLossValueAndGrad,
  topkAccuracy,
  topkLoss,
  topkLossValueAndGrad,
} from "./index.ts";

/** The message of the RangeError or TypeError that a call throws. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return error.message;
    throw error;
  }
  return "nothing was thrown";
}

const scores = [
  [0.5, 2, -1, 0],
  [3, 1, 0.25, -2],
  [0, 0, 1, 1],
];
const labels = [0, 2, 3];
const k = 2;
const any = (value: unknown) => value as never;

describe("refusals name the function, the argument, the index and the value", () => {
  it.each<[string, () => unknown, string]>([
    [
      "a NaN score",
      () => smoothTopkLoss([[0, NaN, 1]], [0], { k }),
      "smoothTopkLoss: scores[0, 1] is NaN, expected a finite number or -Infinity",
    ],
    [
      "an infinite score",
      () => crossEntropy([0, Infinity], 0),
      "crossEntropy: scores[1] is Infinity, expected a finite number or -Infinity",
    ],
    [
      "a label too large",
      () => smoothTopkLoss(scores, [0, 4, 1], { k }),
      "smoothTopkLoss: labels[1] is 4, expected an integer in [0, 3]",
    ],
    [
      "a negative label",
      () => topkLoss(scores, [0, 1, -1], { k }),
      "topkLoss: labels[2] is -1, expected an integer in [0, 3]",
    ],
    [
      "a fractional label",
      () => crossEntropy(scores, [0.5, 1, 1]),
      "crossEntropy: labels[0] is 0.5, expected an integer in [0, 3]",
    ],
    [
      "a label of NaN",
      () => crossEntropy(scores, [0, NaN, 1]),
      "crossEntropy: labels[1] is NaN, expected an integer in [0, 3]",
    ],
    [
      "a label of text",
      () => crossEntropy(scores, any(["0", 1, 1])),
      'crossEntropy: labels[0] is "0", expected an integer in [0, 3]',
    ],
    [
      "too few labels",
      () => crossEntropy(scores, [0, 1]),
      "crossEntropy: labels has length 2, expected one for each of 3 rows",
    ],
    [
      "a label of null",
      () => crossEntropy(scores, any([0, null, 1])),
      "crossEntropy: labels[1] is null, expected an integer in [0, 3]",
    ],
    [
      "a label of false",
      () => crossEntropy(scores, any([0, 1, false])),
      "crossEntropy: labels[2] is false, expected an integer in [0, 3]",
    ],
    [
      "a label of true",
      () => topkLoss(scores, any([true, 1, 1]), { k }),
      "topkLoss: labels[0] is true, expected an integer in [0, 3]",
    ],
    [
      "a label in a list",
      () => topkAccuracy(scores, any([[3], 1, 1]), { k }),
      "topkAccuracy: labels[0] is a Array object, expected an integer in [0, 3]",
    ],
    [
      "a date for a label",
      () => crossEntropy(scores, any([new Date(2), 1, 1])),
      "crossEntropy: labels[0] is a Date object, expected an integer in [0, 3]",
    ],
    [
      "a label of null in an ndarray",
      () => crossEntropy(scores, ndarray(any([0, 1, null]))),
      "crossEntropy: labels[2] is null, expected an integer in [0, 3]",
    ],
    [
      "a score of null in an ndarray",
      () => smoothTopkLoss(ndarray(any([0, null, 1]), [3]), 0, { k: 1 }),
      "smoothTopkLoss: scores[1] is null, expected a number",
    ],
    [
      "a score of text in an ndarray",
      () => smoothTopkLoss(ndarray(any([0, 1, 2, "2"]), [2, 2]), [0, 0], { k: 1 }),
      'smoothTopkLoss: scores[1, 1] is "2", expected a number',
    ],
    [
      "an empty text for a score",
      () => crossEntropy(ndarray(any(["", 1]), [2]), 0),
      'crossEntropy: scores[0] is "", expected a number',
    ],
    [
      "true for a score",
      () => crossEntropy(ndarray(any([0, true]), [2]), 0),
      "crossEntropy: scores[1] is true, expected a number",
    ],
    [
      "an unknown option",
      () => smoothTopkLoss(scores, labels, any({ temperature: 0.1 })),
      "smoothTopkLoss: there is no option temperature, expected one of k, tau, alpha, reduction, weights, ignoreIndex",
    ],
    [
      "another's option",
      () => crossEntropy(scores, labels, any({ labelSmoothing: 0.1 })),
      "crossEntropy: there is no option labelSmoothing, expected one of reduction, weights, ignoreIndex",
    ],
    [
      "options of null",
      () => topkLossValueAndGrad(scores, labels, any(null)),
      "topkLossValueAndGrad: options is null, expected an object",
    ],
    [
      "a k of null",
      () => smoothTopkLoss(scores, labels, { k: any(null) }),
      "smoothTopkLoss: k must be an integer: got k = null",
    ],
    [
      "a tau of null",
      () => smoothTopkLoss(scores, labels, { k, tau: any(null) }),
      "smoothTopkLoss: tau must be a number > 0: got tau = null",
    ],
    [
      "an ignoreIndex of null",
      () => crossEntropy(scores, labels, { ignoreIndex: any(null) }),
      "crossEntropy: ignoreIndex is null, expected an integer",
    ],
    [
      "a buffer without a use",
      () => crossEntropyValueAndGrad(scores, labels, any({ out: { gradient: [] } })),
      "crossEntropyValueAndGrad: out: there is no option gradient, expected one of loss, grad",
    ],
    [
      "memory where there is no gradient",
      () => crossEntropy(scores, labels, any({ out: {} })),
      "crossEntropy: there is no option out, expected one of reduction, weights, ignoreIndex",
    ],
    ["no labels", () => crossEntropy(scores, any(null)), "crossEntropy: labels is null, expected an array of numbers"],
    [
      "labels of two dimensions",
      () => crossEntropy(scores, ndarray(new Int32Array(3), [3, 1])),
      "crossEntropy: labels has shape [3, 1], expected [batch]",
    ],
    [
      "a masked label",
      () =>
        smoothTopkLoss(
          [
            [0, 1, 2, 3],
            [0, -Infinity, 1, 2],
          ],
          [0, 1],
          { k },
        ),
      "smoothTopkLoss: labels[1] is 1, a masked class: scores[1, 1] is -Infinity",
    ],
    ["k of 0", () => smoothTopkLoss(scores, labels, { k: 0 }), "smoothTopkLoss: k must be at least 1: got k = 0"],
    [
      "k of n",
      () => smoothTopkLoss(scores, labels, { k: 4 }),
      "smoothTopkLoss: k must be at most n - 1: got k = 4, n = 4",
    ],
    [
      "the default k of few classes",
      () => topkLoss(scores, labels),
      "topkLoss: k must be at most n - 1: got k = 5, n = 4",
    ],
    ["a fractional k", () => topkLoss(scores, labels, { k: 1.5 }), "topkLoss: k must be an integer: got k = 1.5"],
    [
      "k above n for accuracy",
      () => topkAccuracy(scores, labels, { k: 5 }),
      "topkAccuracy: k must be at most n: got k = 5, n = 4",
    ],
    [
      "tau of 0",
      () => smoothTopkLoss(scores, labels, { k, tau: 0 }),
      "smoothTopkLoss: tau must be a number > 0: got tau = 0",
    ],
    [
      "a negative tau",
      () => smoothTopkLoss(scores, labels, { k, tau: -1 }),
      "smoothTopkLoss: tau must be a number > 0: got tau = -1",
    ],
    [
      "tau of NaN",
      () => smoothTopkLoss(scores, labels, { k, tau: NaN }),
      "smoothTopkLoss: tau must be a number > 0: got tau = NaN",
    ],
    [
      "an infinite tau",
      () => smoothTopkLoss(scores, labels, { k, tau: Infinity }),
      "smoothTopkLoss: k tau must be between 1e-280 and 1e280: got tau = Infinity",
    ],
    [
      "alpha of NaN",
      () => smoothTopkLoss(scores, labels, { k, alpha: NaN }),
      "smoothTopkLoss: alpha must be a finite number: got alpha = NaN",
    ],
    [
      "an infinite alpha",
      () => topkLoss(scores, labels, { k, alpha: Infinity }),
      "topkLoss: alpha must be a finite number: got alpha = Infinity",
    ],
    [
      "an unknown reduction",
      () => crossEntropy(scores, labels, { reduction: any("median") }),
      "crossEntropy: reduction is \"median\", expected 'none', 'mean' or 'sum'",
    ],
    [
      "a negative weight",
      () => crossEntropy(scores, labels, { weights: [1, -0.5, 1] }),
      "crossEntropy: weights[1] is -0.5, expected a finite number >= 0",
    ],
    [
      "too many weights",
      () => crossEntropy(scores, labels, { weights: [1, 1, 1, 1] }),
      "crossEntropy: weights has length 4, expected one for each of 3 rows",
    ],
    [
      "a mean of nothing",
      () => crossEntropy(scores, [7, 7, 7], { ignoreIndex: 7 }),
      "crossEntropy: the weights of the samples that count sum to 0, the mean is undefined",
    ],
    [
      "no rows",
      () => crossEntropy(ndarray(new Float64Array(0), [0, 4]), []),
      "crossEntropy: scores has shape [0, 4], expected at least one row and class",
    ],
    [
      "a gradient buffer of another length",
      () => crossEntropyValueAndGrad(scores, labels, { out: { grad: new Float64Array(11) } }),
      "crossEntropyValueAndGrad: out.grad is a Float64Array of length 11, expected a Float64Array or Float32Array of length 12",
    ],
    [
      "a loss buffer of another type",
      () => crossEntropyValueAndGrad(scores, labels, { out: { loss: any(new Float32Array(3)) } }),
      "crossEntropyValueAndGrad: out.loss is a Float32Array of length 3, expected a Float64Array of length 3",
    ],
  ])("%s", (_, call, message) => {
    expect(refusal(call)).toBe(message);
  });

  it("before anything is written", () => {
    const grad = new Float64Array(12).fill(7);
    const loss = new Float64Array(3).fill(7);
    const bad = [scores[0], scores[1], [0, 0, NaN, 0]];
    refusal(() => smoothTopkLossValueAndGrad(bad, labels, { k, out: { grad, loss } }));
    expect([...grad, ...loss].every((v) => v === 7)).toBe(true);
  });
});

describe("reductions, weights and ignored samples", () => {
  const each = smoothTopkLoss(scores, labels, { k, reduction: "none" });

  it("none, sum and mean are one another's", () => {
    expect(each).toBeInstanceOf(Float64Array);
    const sum = smoothTopkLoss(scores, labels, { k, reduction: "sum" });
    // Three summands, each rounding within u of the sum.
    expect(Math.abs(sum - (each[0] + each[1] + each[2]))).toBeLessThanOrEqual(3 * 2 ** -53 * sum);
    expect(smoothTopkLoss(scores, labels, { k })).toBe(sum / 3);
  });

  it("weights multiply losses and gradients; the mean divides by their sum", () => {
    const weights = [2, 0, 0.5];
    const { value, grad } = smoothTopkLossValueAndGrad(scores, labels, { k, weights, reduction: "none" });
    expect([...value]).toEqual([...each].map((v, b) => v * weights[b]));
    const plain = smoothTopkLossValueAndGrad(scores, labels, { k, reduction: "none" }).grad;
    // Powers of two: exact.
    for (let b = 0; b < 3; b++)
      for (let i = 0; i < 4; i++) expect(grad.get(b, i) === plain.get(b, i) * weights[b]).toBe(true);
    const mean = smoothTopkLoss(scores, labels, { k, weights });
    expect(Math.abs(mean - (each[0] * 2 + each[2] * 0.5) / 2.5)).toBeLessThanOrEqual(4 * 2 ** -53 * mean);
  });

  it("ignored samples count for nothing, as if they were not there", () => {
    const all = smoothTopkLossValueAndGrad(scores, [0, -100, 3], { k, ignoreIndex: -100 });
    const two = smoothTopkLossValueAndGrad([scores[0], scores[2]], [0, 3], { k });
    expect(all.value).toBe(two.value);
    for (let i = 0; i < 4; i++) {
      expect(all.grad.get(0, i)).toBe(two.grad.get(0, i));
      expect(all.grad.get(1, i)).toBe(0);
      expect(all.grad.get(2, i)).toBe(two.grad.get(1, i));
    }
    const hole = [scores[0], [NaN, Infinity, NaN, NaN], scores[2]];
    const unread = smoothTopkLossValueAndGrad(hole, [0, -100, 3], { k, ignoreIndex: -100 });
    expect([...unread.grad.data]).toEqual([...all.grad.data]);
    // A class index can be ignored too.
    expect(topkAccuracy(scores, [0, 2, 3], { k: 1, ignoreIndex: 2, reduction: "sum" })).toBe(0);
  });

  it("the mean of many equal losses is that loss to the last digit", () => {
    const batch = 10_007;
    const many = Array.from({ length: batch }, () => scores[0]);
    const mean = smoothTopkLoss(many, new Int32Array(batch), { k });
    expect(Math.abs(mean / each[0] - 1)).toBeLessThanOrEqual(2 ** -52);
  });
});

describe("arrays", () => {
  const reference = smoothTopkLossValueAndGrad(scores, labels, { k });

  it("labels of every kind are read", () => {
    for (const kind of [
      Int32Array.from(labels),
      Uint8Array.from(labels),
      BigInt64Array.from(labels, BigInt),
      ndarray([...labels]),
    ]) {
      expect(smoothTopkLoss(scores, kind, { k })).toBe(reference.value);
    }
    expect(smoothTopkLoss(scores[1], 2, { k })).toBe(smoothTopkLoss([scores[1]], [2], { k }));
    expect(smoothTopkLossValueAndGrad(scores[1], 2, { k }).grad.shape).toEqual([4]);
  });

  it("single-precision scores give single-precision gradients, rounded once from double", () => {
    const wide = ndarray(Float32Array.from(scores.flat()), [3, 4]);
    const { value, grad } = smoothTopkLossValueAndGrad(wide, labels, { k });
    expect(value).toBe(reference.value);
    expect(grad.data).toBeInstanceOf(Float32Array);
    expect([...grad.data]).toEqual([...reference.grad.data].map(Math.fround));
  });

  it("results go to the caller's buffers", () => {
    const out = { loss: new Float64Array(3), grad: new Float32Array(12) };
    const { value, grad } = smoothTopkLossValueAndGrad(scores, labels, { k, out });
    expect(grad.data).toBe(out.grad);
    expect([...out.grad]).toEqual([...reference.grad.data].map(Math.fround));
    expect([...out.loss]).toEqual([...smoothTopkLoss(scores, labels, { k, reduction: "none" })]);
    expect(value).toBe(reference.value);
  });

  it("scores are not mutated", () => {
    const x = ndarray(Float64Array.from(scores.flat()), [3, 4]);
    for (const f of [smoothTopkLossValueAndGrad, topkLossValueAndGrad]) f(x, labels, { k });
    crossEntropyValueAndGrad(x, labels);
    expect([...x.data]).toEqual(scores.flat());
  });
});
