import "@tensorflow/tfjs-backend-cpu";
import { oneHot, ready, reshape, setBackend, tensor1d, tensor2d, type Tensor } from "@tensorflow/tfjs-core";
import { layers, type Logs, sequential } from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { hardTopk, smoothTopk, smoothTopkLoss, topkAccuracy, topkLoss } from "./index.ts";

beforeAll(async () => {
  await setBackend("cpu");
  await ready();
});

/** Eight classes at the corners of a cube, each with noise of a fixed sequence. */
function corners(samples: number): { x: number[][]; y: number[] } {
  let state = 1;
  const uniform = (): number => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
  const y = Array.from({ length: samples }, (_, i) => i % 8);
  return { x: y.map((label) => [1, 2, 4].map((bit) => ((label & bit) > 0 ? 1 : -1) + uniform() - 0.5)), y };
}

describe("model.compile", () => {
  it.each([
    ["smooth", smoothTopk({ k: 2 })],
    ["hard", hardTopk({ k: 2 })],
  ])("trains with the %s loss until the label is among the two best", async (_, loss) => {
    const { x, y } = corners(160);
    const model = sequential({ layers: [layers.dense({ units: 8, inputShape: [3], kernelInitializer: "zeros" })] });
    model.compile({ optimizer: "adam", loss, metrics: [topkAccuracy({ k: 2 })] });
    const targets = oneHot(tensor1d(y, "int32"), 8);
    const seen: Logs[] = [];
    await model.fit(tensor2d(x), targets, {
      epochs: 100,
      batchSize: 16,
      // The same order in every run.
      shuffle: false,
      verbose: 0,
      callbacks: { onEpochEnd: (__, logs) => void seen.push(logs as Logs) },
    });
    expect(seen.at(-1)?.loss).toBeLessThan(seen[0].loss);
    expect(seen.at(-1)?.top2).toBeGreaterThan(0.95);
  });
});

const scores = tensor2d([
  [2, 1, 0.5, -1, 0],
  [0.1, 3, 0.2, 0, 2.5],
]);
const values = (result: Tensor): number[] => Array.from(result.dataSync());

describe("arguments", () => {
  it("labels may be indices, a column of indices or one-hot, on the device or not, with any leading dimensions", () => {
    const none = { k: 2, reduction: "none" } as const;
    const expected = values(smoothTopkLoss([1, 3], scores, none));
    const marks = tensor1d([1, 3], "int32");
    for (const labels of [marks, reshape(marks, [2, 1]), oneHot(marks, 5), Float32Array.of(1, 3)]) {
      expect(values(smoothTopkLoss(labels, scores, none))).toEqual(expected);
    }
    const stacked = smoothTopkLoss(reshape(marks, [1, 2, 1]), reshape(scores, [1, 2, 5]), none);
    expect(stacked.shape).toEqual([1, 2]);
    expect(values(stacked)).toEqual(expected);
    expect(values(smoothTopkLoss(1, [2, 1, 0.5, -1, 0], none))).toEqual(expected.slice(0, 1));
  });

  it("reductions and weights are those of tf.losses", () => {
    const [a, b] = values(smoothTopkLoss([1, 3], scores, { k: 2, reduction: "none" }));
    const of = (options: object): number => values(smoothTopkLoss([1, 3], scores, { k: 2, ...options }))[0];
    const close = (value: number, expected: number): void => expect(value).toBeCloseTo(expected, 5);
    close(of({}), (a + b) / 2);
    close(of({ reduction: "sum" }), a + b);
    close(of({ weights: [3, 0] }), 3 * a);
    close(of({ weights: [3, 1], reduction: "mean" }), (3 * a + b) / 4);
  });

  it.each<[string, () => unknown, string]>([
    ["k", () => smoothTopkLoss([1, 3], scores, { k: 5 }), "smoothTopkLoss: k must be at most n - 1: got k = 5, n = 5"],
    ["tau", () => smoothTopkLoss([1, 3], scores, { tau: 0 }), "smoothTopkLoss: tau is 0, expected a finite number > 0"],
    ["alpha", () => topkLoss([1, 3], scores, { alpha: NaN }), "topkLoss: alpha is NaN, expected a finite number"],
    ["a label", () => topkLoss([1, 5], scores), "topkLoss: labels[1] is 5, expected an integer in [0, 4]"],
    [
      "a score",
      () => smoothTopkLoss([0], [[1, NaN, 2]], { k: 1 }),
      "smoothTopkLoss: scores[0, 1] is NaN, expected a finite number or -Infinity",
    ],
    [
      "shapes",
      () => smoothTopkLoss([1, 2, 3], scores),
      "smoothTopkLoss: labels has shape [3], expected [2], [2, 1], [2, 5]",
    ],
    [
      "a reduction",
      () => smoothTopkLoss([1, 3], scores, { reduction: "average" as "mean" }),
      'smoothTopkLoss: reduction is "average", expected a tf.Reduction or one of none, sum, mean, sum-by-nonzero-weights',
    ],
    [
      "a k beyond single precision",
      () =>
        smoothTopkLoss(
          0,
          Array.from({ length: 30_000 }, () => 0),
          { k: 81 },
        ),
      "smoothTopkLoss: k is 81, expected at most 80 for 30000 classes: single precision holds no more on this backend",
    ],
  ])("refuses %s", (_, call, message) => {
    expect(call).toThrow(new RangeError(message));
  });
});
