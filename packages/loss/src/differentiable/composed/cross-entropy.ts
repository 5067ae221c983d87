/**
 * The cross-entropy as a differentiable function, to any order: the smooth top-k loss at k = 1, tau = 1, alpha = 0.
 */
import { mul, reshape, type Tensor } from "@smooth-topk/grad";
import { type BatchOptions, checkBatch, type Labels } from "../../batch.ts";
import { samplesOf, valueOf } from "./samples.ts";
import { smoothTopkLosses } from "./smooth-topk-loss.ts";

/**
 * The cross-entropy of `@smooth-topk/loss`, composed of differentiable primitives.
 *
 * @param scores   [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels   [batch] class indices, or a number for one sample.
 * @param options  as there.
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 *
 * Error of a sample's loss 13 u, of every gradient entry not below 1e-280 32 u.
 */
export function composedCrossEntropy(scores: Tensor, labels: Labels, options: BatchOptions = {}): Tensor {
  const batch = checkBatch("crossEntropy", valueOf(scores), labels, options, []);
  const { rows, labels: counting, reduce } = samplesOf(scores, batch, options.reduction);
  // With the label's class alone there is nothing to miss.
  if (batch.rows.n === 1) return reduce(mul(0, reshape(rows, [counting.length])));
  return reduce(smoothTopkLosses(rows, counting, 1, 1, 0));
}
