/**
 * Accuracy of a model on samples of a data set.
 */
import { topkAccuracy } from "@smooth-topk/loss";
import type { NdArray } from "ndarray";
import type { Dataset } from "../data/dataset.ts";
import type { Model, Weights } from "./model.ts";
import type { Batcher } from "../data/standardised-batches.ts";

export interface Accuracy {
  readonly top1: number;
  readonly topk: number;
}

/** Samples whose inputs are held at a time. */
const AT_A_TIME = 512;

/** The scores of samples, row-major, in their order. */
export function scoresOf(model: Model, weights: Weights, batches: Batcher, indices: Int32Array): Float64Array {
  const parts: Float64Array[] = [];
  for (let from = 0; from < indices.length; from += AT_A_TIME) {
    const scores = model.scores(weights, batches(indices.subarray(from, from + AT_A_TIME))) as NdArray<Float64Array>;
    parts.push(scores.data);
  }
  const out = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Fractions of the samples whose true label has the best score, and is among the k best. */
export function accuracyOf(
  model: Model,
  weights: Weights,
  batches: Batcher,
  dataset: Pick<Dataset, "labels">,
  indices: Int32Array,
  k: number,
): Accuracy {
  let top1 = 0;
  let topk = 0;
  for (let from = 0; from < indices.length; from += AT_A_TIME) {
    const some = indices.subarray(from, from + AT_A_TIME);
    const scores = model.scores(weights, batches(some)) as NdArray;
    const labels = some.map((i) => dataset.labels[i]);
    top1 += topkAccuracy(scores, labels, { k: 1, reduction: "sum" });
    topk += topkAccuracy(scores, labels, { k, reduction: "sum" });
  }
  return { top1: top1 / indices.length, topk: topk / indices.length };
}
