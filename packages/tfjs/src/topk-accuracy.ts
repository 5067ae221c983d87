/** Top-k accuracy. */
import {
  cast,
  equal,
  expandDims,
  greater,
  less,
  logicalAnd,
  logicalOr,
  range,
  reshape,
  sum,
  type Tensor,
  type TensorLike,
  tidy,
} from "@tensorflow/tfjs-core";
import { checkOrder, checkRows } from "./border.ts";
import { labelScores } from "./row-loss.ts";

/**
 * For each sample 1 if its label is among the k largest scores, 0 if not. Ties go to the lower index.
 *
 * Labels and scores as for {@link smoothTopkLoss}; shape [...] of the result. A label out of range is a miss. The mean is left to the caller, as metrics of TensorFlow.js do.
 *
 * @throws RangeError naming the argument and its value, if k is out of range or shapes do not fit.
 */
export function topkHits(
  labels: Tensor | TensorLike,
  scores: Tensor | TensorLike,
  { k = 5 }: { readonly k?: number } = {},
): Tensor {
  return tidy(() => {
    const { scores: rows, labels: indices, inRange, leading, n } = checkRows("topkHits", labels, scores);
    checkOrder("topkHits", k, n);
    const own = expandDims(labelScores({ scores: rows, labels: indices }), 1);
    const tiedBefore = logicalAnd(equal(rows, own), less(range(0, n), expandDims(cast(indices, "float32"), 1)));
    const ahead = sum(cast(logicalOr(greater(rows, own), tiedBefore), "float32"), 1);
    return reshape(cast(logicalAnd(inRange, less(ahead, k)), "float32"), leading);
  });
}
