/**
 * From a checked batch to the rows that losses are computed of, and from their losses to the value.
 */
import { cast, concatenate, div, gather, mul, reshape, sum, type Tensor, Traced } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";
import type { Batch, Reduction } from "../../batch.ts";

export interface Samples {
  /** The scores of the samples that count, [m, n], in double precision. */
  readonly rows: Tensor;
  /** Their labels. */
  readonly labels: Int32Array;
  /** Turns their losses, [m], into the value: weights, ignored samples, reduction, the precision of the scores. */
  readonly reduce: (losses: Tensor) => Tensor;
}

/** The array inside all traces, for checks and for constants that depend on the scores. */
export function valueOf(x: Tensor): NdArray {
  let inner: unknown = x;
  while (inner instanceof Traced) inner = inner.value;
  return inner as NdArray;
}

/** @param batch  the checked arguments of the same scores. */
export function samplesOf(scores: Tensor, batch: Batch, reduction: Reduction = "mean"): Samples {
  const { rows, weights, total } = batch;
  const counting = [...batch.labels.keys()].filter((b) => batch.labels[b] >= 0);
  const everything = counting.length === rows.batch;
  const matrix = reshape(cast(scores, "float64"), [rows.batch, rows.n]);
  return {
    rows: everything ? matrix : gather(matrix, counting, 0),
    labels: batch.labels.filter((label) => label >= 0),
    reduce: (losses) => {
      const weighted = weights === null ? losses : mul(losses, vector(counting, weights));
      if (reduction !== "none") return cast(div(sum(weighted), reduction === "mean" ? total : 1), rows.dtype);
      return cast(everything ? weighted : spread(weighted, batch.labels), rows.dtype);
    },
  };
}

function vector(indices: readonly number[], values: Float64Array): NdArray {
  return ndarray(
    Float64Array.from(indices, (i) => values[i]),
    [indices.length],
  );
}

/** Losses with a 0 for each ignored sample. */
function spread(losses: Tensor, labels: Int32Array): Tensor {
  const count = losses.shape[0];
  let next = 0;
  const from = Array.from(labels, (label) => (label >= 0 ? next++ : count));
  return gather(concatenate([losses, ndarray(new Float64Array(1), [1])], 0), from, 0);
}
