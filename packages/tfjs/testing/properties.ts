/**
 * What holds on every backend of TensorFlow.js, against the reference in double precision.
 */
import { smoothTopkLossValueAndGrad, topkAccuracy as referenceAccuracy } from "@smooth-topk/loss";
import { grad, memory, mul, sum, type Tensor, tensor1d, tensor2d, tidy, valueAndGrad } from "@tensorflow/tfjs-core";
import ndarray from "ndarray";
import { expect, it } from "vitest";
import { smoothTopkLoss, topkHits, topkLoss } from "../src/index.ts";

interface Shape {
  readonly batch: number;
  readonly n: number;
  readonly k: number;
  readonly spread: number;
  readonly tau?: number;
}

/** Both ways of computing it, and the edges between them: k = 5 takes the other from 32 classes on. */
const SHAPES: readonly Shape[] = [
  { batch: 3, n: 31, k: 5, spread: 3 },
  { batch: 3, n: 32, k: 5, spread: 3 },
  { batch: 4, n: 200, k: 5, spread: 1 },
  { batch: 4, n: 1000, k: 5, spread: 4, tau: 0.1 },
  { batch: 2, n: 300, k: 1, spread: 2 },
  { batch: 2, n: 400, k: 2, spread: 20 },
  { batch: 2, n: 1000, k: 20, spread: 3 },
  { batch: 2, n: 600, k: 40, spread: 0.5 },
  { batch: 2, n: 1200, k: 80, spread: 2 },
];

/** Numbers from a fixed sequence, rounded to a grid so that some tie. */
function example({ batch, n, spread }: Shape, seed: number): { scores: Float32Array; labels: Int32Array } {
  let state = seed;
  const uniform = (): number => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
  const scores = Float32Array.from({ length: batch * n }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Math.round(64 * spread * normal) / 64;
  });
  return { scores, labels: Int32Array.from({ length: batch }, () => Math.floor(uniform() * n)) };
}

/** @param activate  makes the backend active, before each test. */
export function backendProperties(activate: () => Promise<void>): void {
  it.each(SHAPES)("loss within 1e-5, gradient within 1e-3 and 1e-5 of the largest: n $n, k $k", async (shape) => {
    await activate();
    const { batch, n, k, tau = 1 } = shape;
    const { scores, labels } = example(shape, n + k);
    // A masked class, and in the last row a label that is far ahead.
    scores[labels[0] === 0 ? 1 : 0] = -Infinity;
    scores[(batch - 1) * n + labels[batch - 1]] = 30 * shape.spread;
    const expected = smoothTopkLossValueAndGrad(ndarray(Float64Array.from(scores), [batch, n]), [...labels], {
      k,
      tau,
      reduction: "none",
    });
    const at = tensor2d(scores, [batch, n]);
    const marks = tensor1d(labels, "int32");
    const rows = smoothTopkLoss(marks, at, { k, tau, reduction: "none" });
    const slopes = grad((s) => sum(smoothTopkLoss(marks, s, { k, tau, reduction: "none" })))(at);
    const [loss, gradient] = [await rows.data(), await slopes.data()];
    for (const tensor of [at, marks, rows, slopes]) tensor.dispose();
    for (let b = 0; b < batch; b++) {
      expect(Math.abs(loss[b] - expected.value[b])).toBeLessThanOrEqual(1e-5 * expected.value[b] + 1e-30);
      const row = expected.grad.data.slice(b * n, b * n + n);
      const largest = Math.max(...row.map(Math.abs));
      row.forEach((entry, i) => {
        const allowed = Math.min(1e-3 * Math.abs(entry), 1e-5 * largest) + 2e-30;
        expect(Math.abs(gradient[b * n + i] - entry)).toBeLessThanOrEqual(allowed);
      });
    }
  });

  it.each([SHAPES[0], SHAPES[2]])("leaves no tensor behind, forward, backward and twice: n $n", async (shape) => {
    await activate();
    const { scores, labels } = example(shape, 1);
    const at = tensor2d(scores, [shape.batch, shape.n]);
    const marks = tensor1d(labels, "int32");
    const before = memory().numTensors;
    const loss = (s: Tensor): Tensor => smoothTopkLoss(marks, s);
    const all = [loss(at), topkLoss(marks, at), topkHits(marks, at)];
    const both = valueAndGrad(loss)(at);
    const second = grad((s) => sum(mul(grad(loss)(s), at)))(at);
    expect(memory().numTensors).toBe(before + all.length + 3);
    for (const tensor of [...all, both.value, both.grad, second, at, marks]) tensor.dispose();
    expect(memory().numTensors).toBe(before - 2);
  });

  it.each([SHAPES[0], SHAPES[2]])("second derivatives agree with differences of the reference: n $n", async (shape) => {
    await activate();
    const { batch, n, k } = shape;
    const { scores, labels } = example(shape, 7);
    const { scores: direction } = example({ ...shape, spread: 1 }, 8);
    const step = 1e-4;
    const slope = (sign: number): Float64Array =>
      smoothTopkLossValueAndGrad(
        ndarray(
          Float64Array.from(scores, (s, i) => s + sign * step * direction[i]),
          [batch, n],
        ),
        [...labels],
        { k, reduction: "sum" },
      ).grad.data as Float64Array;
    const [above, below] = [slope(1), slope(-1)];
    const at = tensor2d(scores, [batch, n]);
    const marks = tensor1d(labels, "int32");
    const result = grad((s) =>
      sum(
        mul(grad((x) => sum(smoothTopkLoss(marks, x, { k, reduction: "none" })))(s), tensor2d(direction, [batch, n])),
      ),
    )(at);
    const found = await result.data();
    const expected = above.map((value, i) => (value - below[i]) / (2 * step));
    // Single precision on pi_k - pi_{k-1}, each with k u: 1e-4 of the largest is ten times that at k = 5.
    const largest = Math.max(...expected.map(Math.abs));
    expected.forEach((value, i) => expect(Math.abs(found[i] - value)).toBeLessThanOrEqual(1e-4 * largest));
    for (const tensor of [at, marks, result]) tensor.dispose();
  });

  it("counts hits as the reference does, ties to the lower index", async () => {
    await activate();
    const shape = { batch: 40, n: 50, k: 3, spread: 0.05 };
    const { scores, labels } = example(shape, 3);
    const hits = tidy(() => topkHits(tensor1d(labels, "int32"), tensor2d(scores, [40, 50]), { k: 3 }));
    const found = await hits.data();
    hits.dispose();
    labels.forEach((label, b) => {
      const row = ndarray(scores.slice(b * 50, b * 50 + 50), [1, 50]);
      expect(found[b]).toBe(referenceAccuracy(row, [label], { k: 3 }));
    });
  });

  it("makes the row of a bad label NaN where it cannot be refused", async () => {
    await activate();
    const at = tensor2d([1, 2, -Infinity, 1, 2, 3, 3, 2, 1], [3, 3]);
    const marks = tensor1d([2, 3, 0], "int32");
    const loss = smoothTopkLoss(marks, at, { k: 1, reduction: "none" });
    const values = await loss.data();
    expect([...values].map(Number.isNaN)).toEqual([true, true, false]);
    for (const tensor of [at, marks, loss]) tensor.dispose();
  });
}
