/** The hard top-k loss. */
import {
  add,
  cast,
  div,
  equal,
  greater,
  losses,
  maximum,
  mul,
  neg,
  relu,
  reshape,
  slice,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tidy,
  topk,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { checkNumber, checkOrder, checkReduction, checkRows } from "./border.ts";
import { differentiable, labelMask, MASKED, type RowLoss, type Rows } from "./row-loss.ts";
import type { SmoothTopkOptions, WeightedOptions } from "./smooth-topk-loss.ts";

/**
 * The hard top-k loss, max(0, alpha + (s_[k] - s_y) / k) for each sample, with s_[k] the k-th largest score of the other classes: the
 * limit of the smooth loss as tau goes to 0.
 *
 * Arguments, result and errors as for {@link smoothTopkLoss}, any k. Where classes tie for the k-th place, the gradient is shared among
 * them. Its second derivatives are 0.
 *
 * @example
 * ```ts
 * topkLoss([1], tf.tensor2d([[2, 1, 0.5, -1, 0]]), { k: 2 }).print(); // 0.75: alpha + (0.5 - 1) / 2
 * ```
 */
export function topkLoss(
  labels: Tensor | TensorLike,
  scores: Tensor | TensorLike,
  options: Omit<SmoothTopkOptions, "tau"> & WeightedOptions = {},
): Tensor {
  const name = "topkLoss";
  const { k = 5, alpha = 1, weights, reduction = "sum-by-nonzero-weights" } = options;
  checkNumber(name, "alpha", alpha);
  const how = checkReduction(name, reduction);
  return tidy(() => {
    const { scores: rows, labels: indices, inRange, leading, n } = checkRows(name, labels, scores);
    checkOrder(name, k, n);
    const each = differentiable(
      (at) => hardLoss(at, k, alpha),
      (_, [subgradient]) => subgradient,
      indices,
      inRange,
    );
    return losses.computeWeightedLoss(reshape(each(rows), leading), weights, how);
  });
}

function hardLoss({ scores, labels }: Rows, k: number, alpha: number): RowLoss {
  const [batch, n] = scores.shape as [number, number];
  const isLabel = labelMask(labels, n);
  const others = where(isLabel, MASKED, maximum(scores, MASKED));
  const kth = slice(topk(others, k).values, [0, k - 1], [batch, 1]);
  const labelScore = sum(where(isLabel, scores, zerosLike(scores)), 1, true);
  const loss = relu(add(div(sub(kth, labelScore), k), alpha));
  const active = cast(greater(loss, 0), "float32");
  const tied = cast(equal(others, kth), "float32");
  const share = div(active, mul(sum(tied, 1, true), k));
  const subgradient = where(isLabel, neg(mul(active, 1 / k)), mul(tied, share));
  return { loss: reshape(loss, [batch]), kept: [subgradient] };
}
