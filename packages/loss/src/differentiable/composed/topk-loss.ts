/**
 * The hard top-k loss as a differentiable function.
 */
import { copyRow, rowsOf, selectLargest } from "@smooth-topk/esym/kernel";
import { add, div, max, relu, sub, type Tensor } from "@smooth-topk/grad";
import type { Labels } from "../../batch.ts";
import { checkTopk, type TopkOptions } from "../../topk-loss.ts";
import { mask, ownScores } from "./row-constants.ts";
import { samplesOf, valueOf } from "./samples.ts";

/** max(0, alpha + (s_[k] - s_y) / k) of each row, [m, n] -> [m]. */
function topkLosses(rows: Tensor, labels: Int32Array, k: number, alpha: number): Tensor {
  const [m, n] = rows.shape;
  const values = valueOf(rows);
  const thresholds = kthOthers(values, labels, k);
  // Without the label and the classes above s_[k] the largest score is s_[k], and classes that tie there share a gradient.
  const upTo = add(
    rows,
    mask(m, n, (b, i) => i === labels[b] || values.get(b, i) > thresholds[b]),
  );
  return relu(add(alpha, div(sub(max(upTo, 1), ownScores(rows, labels)), k)));
}

/** s_[k] of each row; -Infinity where fewer than k other classes are there. */
function kthOthers(scores: ReturnType<typeof valueOf>, labels: Int32Array, k: number): Float64Array {
  const view = rowsOf("topkLoss", "scores", scores);
  const x = new Float64Array(view.n);
  const [largest, indices] = [new Float64Array(k), new Int32Array(k)];
  return Float64Array.from(labels, (label, b) => {
    copyRow(view, b, x);
    x[label] = -Infinity;
    return selectLargest(x, view.n, k, largest, indices) < k ? -Infinity : largest[k - 1];
  });
}

/**
 * The hard top-k loss of `@smooth-topk/loss`, composed of differentiable primitives. Its gradient is the subgradient of
 * `topkLossValueAndGrad`; its derivatives beyond are 0.
 *
 * @param scores   [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels   [batch] class indices, or a number for one sample.
 * @param options  as there.
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 *
 * Error of a sample's loss 4 u (|alpha| + (|s_[k]| + |s_y|) / k).
 */
export function composedTopkLoss(scores: Tensor, labels: Labels, options: TopkOptions = {}): Tensor {
  const { batch, k, alpha } = checkTopk("topkLoss", valueOf(scores), labels, options);
  const samples = samplesOf(scores, batch, options.reduction);
  return samples.reduce(topkLosses(samples.rows, samples.labels, k, alpha));
}
