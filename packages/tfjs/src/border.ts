/**
 * Arguments checked and brought to rows. What is known without reading the device is refused before anything runs; labels
 * that are already on the device are looked at there, and a bad one makes its row NaN.
 */
import {
  argMax,
  cast,
  equal,
  floor,
  greater,
  less,
  logicalAnd,
  max,
  mul,
  Reduction,
  reshape,
  sum,
  tensor,
  Tensor,
  type TensorLike,
} from "@tensorflow/tfjs-core";
import type { Rows } from "./row-loss.ts";

/** Rows to compute, and what leads back to the caller's shape. */
export interface CheckedRows extends Rows {
  /** Shape [batch], bool: the label is a class. */
  readonly inRange: Tensor;
  /** The dimensions before the classes. */
  readonly leading: number[];
  readonly n: number;
}

/**
 * How the losses of the samples become one result: those of `tf.losses`, by TensorFlow.js' number or by name. `mean` divides by the sum of the
 * weights, `sum-by-nonzero-weights` (the default there and here) by how many are not zero.
 */
export type ReductionOption = Reduction | "none" | "sum" | "mean" | "sum-by-nonzero-weights";

const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  none: Reduction.NONE,
  sum: Reduction.SUM,
  mean: Reduction.MEAN,
  "sum-by-nonzero-weights": Reduction.SUM_BY_NONZERO_WEIGHTS,
};

export function checkReduction(name: string, reduction: ReductionOption): Reduction {
  const found = typeof reduction === "string" ? REDUCTIONS[reduction] : reduction;
  if (found !== undefined && Object.values(REDUCTIONS).includes(found)) return found;
  throw new RangeError(
    `${name}: reduction is ${JSON.stringify(reduction)}, expected a tf.Reduction or one of ${Object.keys(REDUCTIONS).join(", ")}`,
  );
}

/** @throws RangeError if the number is not finite, or not above 0 where it has to be. */
export function checkNumber(name: string, argument: string, value: number, above?: number): void {
  if (Number.isFinite(value) && (above === undefined || value > above)) return;
  const expected = above === undefined ? "a finite number" : `a finite number > ${above}`;
  throw new RangeError(`${name}: ${argument} is ${value}, expected ${expected}`);
}

/** @throws RangeError naming k, its value and n, unless 1 <= k <= n - 1. */
export function checkOrder(name: string, k: number, n: number): void {
  if (!Number.isSafeInteger(k) || k < 1) throw new RangeError(`${name}: k is ${k}, expected an integer >= 1`);
  if (k > n - 1) throw new RangeError(`${name}: k must be at most n - 1: got k = ${k}, n = ${n}`);
}

/**
 * Scores and labels as rows.
 *
 * @param labels  class indices of the shape of the scores without its last dimension (or with 1 there), or one-hot of the shape of
 *   the scores.
 */
export function checkRows(name: string, labels: Tensor | TensorLike, scores: Tensor | TensorLike): CheckedRows {
  const given = asTensor(scores);
  const marks = asTensor(labels);
  if (given.rank < 1) throw new RangeError(`${name}: scores has shape [], expected classes in its last dimension`);
  const leading = given.shape.slice(0, -1);
  const n = given.shape[given.rank - 1];
  const batch = leading.reduce((product, size) => product * size, 1);
  const rows = reshape(cast(given, "float32"), [batch, n]);
  const isOneHot = same(marks.shape, given.shape);
  if (!isOneHot && !same(marks.shape, leading) && !same(marks.shape, [...leading, 1])) {
    const allowed = [leading, [...leading, 1], given.shape].map((shape) => `[${shape.join(", ")}]`);
    throw new RangeError(`${name}: labels has shape [${marks.shape.join(", ")}], expected ${allowed.join(", ")}`);
  }
  const list = labels instanceof Tensor || isOneHot ? undefined : numbersOf(labels);
  if (list !== undefined) checkIndices(name, list, n);
  if (!(scores instanceof Tensor)) checkScores(name, numbersOf(scores), n, list);
  const { indices, inRange } = isOneHot
    ? fromOneHot(reshape(marks, [batch, n]))
    : fromIndices(reshape(marks, [batch]), n);
  return { scores: rows, labels: indices, inRange, leading, n };
}

function asTensor(value: Tensor | TensorLike): Tensor {
  return value instanceof Tensor ? value : tensor(value);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

function numbersOf(values: TensorLike): number[] {
  return ArrayBuffer.isView(values) ? Array.from(values as Float32Array) : ([values].flat(Infinity) as number[]);
}

function checkIndices(name: string, labels: readonly number[], n: number): void {
  labels.forEach((label, i) => {
    if (Number.isInteger(label) && label >= 0 && label < n) return;
    throw new RangeError(`${name}: labels[${i}] is ${String(label)}, expected an integer in [0, ${n - 1}]`);
  });
}

function checkScores(name: string, scores: readonly number[], n: number, labels?: readonly number[]): void {
  scores.forEach((score, i) => {
    if (score < Infinity) return;
    throw new RangeError(`${name}: scores[${place(i, n)}] is ${score}, expected a finite number or -Infinity`);
  });
  labels?.forEach((label, i) => {
    if (scores[i * n + label] !== -Infinity) return;
    throw new RangeError(`${name}: labels[${i}] is ${label}, a class that scores[${place(i * n + label, n)}] masks`);
  });
}

function place(i: number, n: number): string {
  return `${Math.floor(i / n)}, ${i % n}`;
}

function fromIndices(labels: Tensor, n: number): { indices: Tensor; inRange: Tensor } {
  const values = cast(labels, "float32");
  const inRange = logicalAnd(logicalAnd(greater(values, -1), less(values, n)), equal(values, floor(values)));
  // An index out of range must not be read with.
  return { indices: cast(mul(values, cast(inRange, "float32")), "int32"), inRange };
}

function fromOneHot(labels: Tensor): { indices: Tensor; inRange: Tensor } {
  const values = cast(labels, "float32");
  const inRange = logicalAnd(equal(max(values, 1), 1), equal(sum(values, 1), 1));
  return { indices: cast(argMax(values, 1), "int32"), inRange };
}
