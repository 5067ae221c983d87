/**
 * The hard top-k loss l_k = max(0, alpha + (s_[k] - s_y) / k), s_[k] the k-th largest score besides the label's:
 * the limit of the smooth loss as tau -> 0.
 */
import { checkOrder, divide, selectLargest } from "@smooth-topk/esym/kernel";
import {
  type Batch,
  type BatchOptions,
  type Buffers,
  checkBatch,
  checkMargin,
  type Labels,
  type LossValue,
  type Reduction,
  reduceRows,
  type Scores,
  type ValueAndGrad,
} from "./batch.ts";
import { exactMargin } from "./exact-margin.ts";

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
): { readonly batch: Batch; readonly k: number; readonly alpha: number } {
  const { k = 5, alpha = 1 } = options;
  checkMargin(caller, alpha);
  const batch = checkBatch(caller, scores, labels, options);
  checkOrder(caller, k, batch.rows.n, 1, 1);
  return { batch, k, alpha };
}

function run<R extends Reduction | undefined>(
  caller: string,
  scores: Scores,
  labels: Labels,
  options: TopkOptions & { readonly reduction?: R; readonly out?: Buffers | undefined },
  wantGrad: boolean,
): ValueAndGrad<R> {
  const { batch, k, alpha } = checkTopk(caller, scores, labels, options);
  const { n } = batch.rows;
  const values = new Float64Array(k);
  const indices = new Int32Array(k);
  return reduceRows(caller, batch, options, wantGrad, (x, label, weight, grad, offset) => {
    const labelScore = x[label];
    x[label] = -Infinity;
    grad?.fill(0, offset, offset + n);
    if (selectLargest(x, n, k, values, indices) < k) return 0;
    const kth = values[k - 1];
    const margin = exactMargin(k, alpha, kth, labelScore);
    if (!(margin[0] > 0)) return 0;
    if (grad !== null) {
      // The subgradient that the smooth gradient tends to: classes tied at s_[k] share it equally.
      let ties = 0;
      for (let i = 0; i < n; i++) if (x[i] === kth) ties++;
      for (let i = 0; i < n; i++) if (x[i] === kth) grad[offset + i] = weight / k / ties;
      grad[offset + label] = -weight / k;
    }
    return divide(margin, [k, 0])[0];
  });
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
 */
export function topkLoss<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: TopkOptions & { readonly reduction?: R } = {},
): LossValue<R> {
  return run("topkLoss", scores, labels, options, false).value;
}

/**
 * Hard top-k loss and a subgradient: where the loss is positive, -1/k at the label and +1/k shared equally
 * by the classes tied at s_[k]; elsewhere, the kink included, 0.
 *
 * @param options.out  memory for the results.
 * @returns value as {@link topkLoss}, grad of the shape and precision of scores.
 * @throws as {@link topkLoss}.
 */
export function topkLossValueAndGrad<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: TopkOptions & { readonly reduction?: R; readonly out?: Buffers | undefined } = {},
): ValueAndGrad<R> {
  return run("topkLossValueAndGrad", scores, labels, options, true) as ValueAndGrad<R>;
}
