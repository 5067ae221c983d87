/**
 * The hard top-k loss l_k = max(0, alpha + (s_[k] - s_y) / k), s_[k] the k-th largest score besides the label's:
 * the limit of the smooth loss as tau -> 0. It needs no polynomial, so it is computed here whatever the backend.
 */
import type { Dtype } from "@smooth-topk/esym";
import { checkOrder, copyRow, selectLargest } from "@smooth-topk/esym/kernel";
import {
  type Batch,
  type BatchOptions,
  type Buffers,
  checkBatch,
  checkMargin,
  type Labels,
  type LossValue,
  type Reduction,
  type Scores,
  type ValueAndGrad,
} from "./batch.ts";
import { exactMargin, marginOver } from "./exact-margin.ts";
import { gradientOf, reduce, resultsOf, sampleWeight } from "./reduction.ts";

export interface TopkOptions extends BatchOptions {
  /** How many guesses the loss allows: 1 <= k <= n - 1. Default 5. */
  readonly k?: number | undefined;
  /** Margin, any finite number. Default 1. */
  readonly alpha?: number | undefined;
}

/** Checks all arguments of a hard loss. */
export function checkTopk(
  caller: string,
  scores: Scores,
  labels: Labels,
  options: TopkOptions,
  buffers: readonly string[] = [],
): { readonly batch: Batch; readonly k: number; readonly alpha: number } {
  const batch = checkBatch(caller, scores, labels, options, ["k", "alpha", ...buffers]);
  const { k = 5, alpha = 1 } = options;
  checkMargin(caller, alpha);
  checkOrder(caller, k, batch.rows.n, 1, 1);
  return { batch, k, alpha };
}

/** The hard top-k loss, with a gradient in the precision of the scores, or of a backend with a lower one. */
export function topkLossIn<R extends Reduction | undefined>(
  dtype: Dtype,
  scores: Scores,
  labels: Labels,
  options: TopkOptions & { readonly reduction?: R; readonly out?: Buffers | undefined },
  wantGrad: boolean,
): ValueAndGrad<R> {
  const caller = wantGrad ? "topkLossValueAndGrad" : "topkLoss";
  const { batch, k, alpha } = checkTopk(caller, scores, labels, options, wantGrad ? ["out"] : []);
  const { rows } = batch;
  const { n } = rows;
  const single = dtype === "float32" || rows.dtype === "float32";
  const { losses, grad } = resultsOf(caller, rows, options.out, wantGrad, single);
  losses.fill(0);
  grad?.fill(0);
  const x = new Float64Array(n);
  const values = new Float64Array(k);
  const indices = new Int32Array(k);
  for (let b = 0; b < rows.batch; b++) {
    const label = batch.labels[b];
    if (label < 0) continue;
    copyRow(rows, b, x);
    const labelScore = x[label];
    x[label] = -Infinity;
    if (selectLargest(x, n, k, values, indices) < k) continue;
    const kth = values[k - 1];
    const margin = exactMargin(k, alpha, kth, labelScore);
    if (!(margin.value[0] > 0)) continue;
    losses[b] = marginOver(margin, [k, 0])[0];
    if (grad === null) continue;
    // The subgradient that the smooth gradient tends to: classes tied at s_[k] share it equally.
    const step = sampleWeight(batch, b) / k;
    let ties = 0;
    for (let i = 0; i < n; i++) if (x[i] === kth) ties++;
    for (let i = 0; i < n; i++) if (x[i] === kth) grad[b * n + i] = step / ties;
    grad[b * n + label] = -step;
  }
  const value = reduce<R>(batch, losses);
  return (grad === null ? { value } : { value, grad: gradientOf(rows, grad) }) as ValueAndGrad<R>;
}

/**
 * Hard top-k loss max(0, alpha + (s_[k] - s_y) / k), s_[k] the k-th largest score of the other classes.
 *
 * The 1 / k is the scale of the authors' code and of the limit of {@link smoothTopkLoss} as tau -> 0; the paper's
 * equation (3) lacks it.
 *
 * @param scores  [batch, n], or [n] for one sample; -Infinity masks a class. Where masking leaves fewer than k
 *                classes besides y, the loss and its gradient are 0.
 * @param labels  [batch] class indices, or a number for one sample.
 * @returns the mean over samples, the sum, or [batch] values, by `reduction`.
 * @throws RangeError or TypeError naming the argument, the index and the value, before anything is computed.
 *
 * Relative error of each sample's loss below 2 u (u = 2^-53). O(n log k) time per sample.
 *
 * @example
 * ```ts
 * import { topkLoss } from "@smooth-topk/loss";
 *
 * console.log(topkLoss([[2, 1, 0, -1]], [1], { k: 2 })); // 0.5
 * ```
 */
export function topkLoss<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: TopkOptions & { readonly reduction?: R } = {},
): LossValue<R> {
  return topkLossIn("float64", scores, labels, options, false).value;
}

/**
 * Hard top-k loss and a subgradient: where the loss is positive, -1/k at the label and +1/k shared equally
 * by the classes tied at s_[k]; elsewhere, the kink included, 0.
 *
 * @param options.out  memory for the results.
 * @returns value as {@link topkLoss}, grad of the shape and precision of scores.
 * @throws as {@link topkLoss}.
 *
 * @example
 * ```ts
 * import { topkLossValueAndGrad } from "@smooth-topk/loss";
 *
 * const { value, grad } = topkLossValueAndGrad([2, 1, 0, -1], 1, { k: 2 });
 * console.log(value, grad); // 0.5, 0, -0.5, 0.5, 0
 * ```
 */
export function topkLossValueAndGrad<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: TopkOptions & { readonly reduction?: R; readonly out?: Buffers | undefined } = {},
): ValueAndGrad<R> {
  return topkLossIn("float64", scores, labels, options, true);
}
