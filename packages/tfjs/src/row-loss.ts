/**
 * What a way of computing the loss gives: the losses of the rows now, their gradients when they are wanted.
 */
import {
  add,
  cast,
  customGrad,
  expandDims,
  gather,
  getBackend,
  type GradSaveFunc,
  greater,
  logicalAnd,
  mul,
  oneHot,
  reshape,
  type Tensor,
  tensor1d,
  where,
} from "@tensorflow/tfjs-core";
import type { MarginOptions } from "./margin.ts";

/** Rows of scores with a label each, as the border has made them. */
export interface Rows {
  /** Shape [batch, n], single precision. */
  readonly scores: Tensor;
  /** Shape [batch], int32, each in [0, n). */
  readonly labels: Tensor;
}

export interface RowLoss {
  /** Shape [batch]; 0 where fewer than k other classes are there. */
  readonly loss: Tensor;
  /** What the gradient needs of this, in its order. */
  readonly kept: Tensor[];
}

export interface RowMethod {
  readonly forward: (rows: Rows, options: MarginOptions) => RowLoss;
  /** The gradient of each row's loss, shape [batch, n]. */
  readonly gradient: (rows: Rows, kept: readonly Tensor[], options: MarginOptions) => Tensor;
}

/** A score at or below this is a masked class; -Infinity becomes it, so that differences stay numbers. */
export const MASKED = -3e38;

/**
 * Shape [batch, n], bool: the entries of the labels. By way of integers: on WebAssembly a one-hot tensor of booleans is written
 * beyond its end (TensorFlow.js 4.22).
 */
export function labelMask(labels: Tensor, n: number): Tensor {
  return cast(oneHot(labels, n, 1, 0, "int32"), "bool");
}

/**
 * The score of each row's label, shape [batch].
 *
 * By indices of the whole matrix, because WebAssembly reads beyond it when it gathers row by row (TensorFlow.js 4.22). WebGL
 * does that well, and has no integers above 2^24 to index with.
 */
export function labelScores({ scores, labels }: Rows): Tensor {
  const [batch, n] = scores.shape as [number, number];
  if (getBackend().includes("webgl")) return reshape(gather(scores, reshape(labels, [batch, 1]), 1, 1), [batch]);
  const starts = Int32Array.from({ length: batch }, (_, b) => b * n);
  return gather(reshape(scores, [batch * n]), add(labels, tensor1d(starts, "int32")));
}

/**
 * The losses of rows as a function that TensorFlow.js differentiates. A row whose label is out of range or masked is NaN, its gradient
 * too.
 *
 * @param gradient  of each row's loss, from what the loss has kept; itself differentiable or not.
 *
 * Everything that a gradient needs is saved, the labels too: what was made on the way here is gone when it is computed.
 */
export function differentiable(
  forward: (rows: Rows) => RowLoss,
  gradient: (rows: Rows, kept: readonly Tensor[]) => Tensor,
  labels: Tensor,
  inRange: Tensor,
): (scores: Tensor) => Tensor {
  return customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [scores, save] = inputs as [Tensor, GradSaveFunc];
    const isThere = greater(labelScores({ scores, labels }), MASKED / 2);
    const one = where(logicalAnd(inRange, isThere), 1, NaN);
    const { loss, kept } = forward({ scores, labels });
    save([scores, labels, one, ...kept]);
    const gradFunc = (dy: Tensor, [at, of, factor, ...held]: Tensor[]): Tensor =>
      mul(expandDims(mul(dy, factor), 1), gradient({ scores: at, labels: of }, held));
    return { value: mul(loss, one), gradFunc };
  });
}
