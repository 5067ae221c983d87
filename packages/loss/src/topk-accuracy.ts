/**
 * Top-k accuracy: how often the label is among the k best scores.
 */
import { checkOrder, copyRow } from "@smooth-topk/esym/kernel";
import { type BatchOptions, checkBatch, type Labels, type LossValue, type Reduction, type Scores } from "./batch.ts";
import { reduce } from "./reduction.ts";

export interface TopkAccuracyOptions extends BatchOptions {
  /** How many guesses count: 1 <= k <= n. Default 5. */
  readonly k?: number | undefined;
}

/**
 * Fraction of samples whose label is among their k largest scores.
 *
 * Equal scores rank by index, the lower first, as NumPy's argmax and a stable descending sort rank them: constant
 * scores do not count as right.
 *
 * @param scores  [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels  [batch] class indices, or a number for one sample.
 * @returns the (weighted) mean, the sum, or [batch] values of 0 and 1, by `reduction`.
 * @throws RangeError or TypeError naming the argument, the index and the value, before anything is computed.
 *
 * O(n) time per sample.
 *
 * @example
 * ```ts
 * import { topkAccuracy } from "@smooth-topk/loss";
 *
 * console.log(topkAccuracy([[2, 1, 0], [2, 1, 0]], [1, 2], { k: 2 })); // 0.5
 * ```
 */
export function topkAccuracy<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: TopkAccuracyOptions & { readonly reduction?: R } = {},
): LossValue<R> {
  const caller = "topkAccuracy";
  const batch = checkBatch(caller, scores, labels, options, ["k"]);
  const { k = 5 } = options;
  const { rows } = batch;
  checkOrder(caller, k, rows.n, 1, 0);
  const x = new Float64Array(rows.n);
  const hits = Float64Array.from(batch.labels, (label, b) => {
    if (label < 0) return 0;
    copyRow(rows, b, x);
    const own = x[label];
    let better = 0;
    for (let i = 0; i < x.length; i++) if (x[i] > own || (x[i] === own && i < label)) better++;
    return better < k ? 1 : 0;
  });
  return reduce<R>(batch, hits);
}
