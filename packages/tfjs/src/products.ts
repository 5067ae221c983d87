/**
 * The loss of rows with few classes for their k: the polynomials of all classes in one tree.
 *
 * A class is the polynomial (1 - p) + p X, p = logistic(x + t), x = (s - c) / (k tau). At t = log(k / S) the order k is
 * within e^(0.4 k) of the largest one; where that could leave single precision, Newton steps bring the mean of the orders,
 * the sum of p, to k.
 */
import {
  add,
  clipByValue,
  concat,
  div,
  exp,
  greater,
  log,
  maximum,
  minimum,
  mul,
  neg,
  ones,
  pad,
  reshape,
  sigmoid,
  slice,
  stack,
  sub,
  sum,
  type Tensor,
  topk,
  where,
  zeros,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { lossOfMargin, type MarginOptions } from "./margin.ts";
import { leaveOneOut, productTree } from "./polynomial-tree.ts";
import { labelMask, labelScores, MASKED, type RowLoss, type RowMethod, type Rows } from "./row-loss.ts";

/** Above this k the tilt is refined. */
const REFINED_FROM = 40;

function forward({ scores, labels }: Rows, options: MarginOptions): RowLoss {
  const { k, tau } = options;
  const [batch, n] = scores.shape as [number, number];
  const isLabel = labelMask(labels, n);
  const labelScore = labelScores({ scores, labels });
  const others = where(isLabel, MASKED, maximum(scores, MASKED));
  const kth = slice(topk(others, k).values, [0, k - 1], [batch, 1]);
  const present = greater(others, MASKED / 2);
  const x = where(present, div(sub(others, kth), k * tau), -87);
  const nothing = zerosLike(x);
  const over = (values: Tensor): Tensor => sum(where(present, values, nothing), 1, true);
  const all = maximum(sub(over(exp(minimum(x, 0))), k - 1), 1);
  let shift = log(div(k, all));
  for (let step = 0; k > REFINED_FROM && step < 6; step++) {
    const p = sigmoid(clipByValue(add(x, shift), -87, 87));
    const spread = maximum(over(mul(p, sub(1, p))), 0.01);
    shift = sub(shift, clipByValue(div(sub(over(p), k), spread), -1, 1));
  }
  const logit = clipByValue(add(x, shift), -87, 87);
  const constant = where(present, sigmoid(neg(logit)), 1);
  const linear = where(present, sigmoid(logit), nothing);
  const leaves = 2 ** Math.ceil(Math.log2(n));
  const padded = (values: Tensor, value: number): Tensor =>
    leaves === n
      ? values
      : pad(
          values,
          [
            [0, 0],
            [0, leaves - n],
          ],
          value,
        );
  const tree = productTree(stack([padded(constant, 1), padded(linear, 0)], 2), k);
  const product = reshape(tree.at(-1) as Tensor, [batch, k + 1]);
  const column = (at: number): Tensor => slice(product, [0, at], [batch, 1]);
  const isThere = greater(kth, MASKED / 2);
  const ratio = where(isThere, mul(div(column(k), column(k - 1)), exp(neg(shift))), 1);
  const { loss, weight } = lossOfMargin(reshape(ratio, [batch]), reshape(kth, [batch]), labelScore, options);
  const there = reshape(isThere, [batch]);
  const step = reshape(where(there, mul(weight, 1 / k), zerosLike(weight)), [batch, 1]);
  return { loss: where(there, loss, zerosLike(loss)), kept: [product, step, ...tree] };
}

function gradient({ scores, labels }: Rows, kept: readonly Tensor[], { k }: MarginOptions): Tensor {
  const [product, step, ...tree] = kept;
  const [batch, n] = scores.shape as [number, number];
  const column = (at: number): Tensor => slice(product, [0, at], [batch, 1]);
  const rest = concat([ones([batch, 1]), zeros([batch, k])], 1);
  const others = leaveOneOut(tree, rest, k);
  const part = (values: Tensor, at: number): Tensor => reshape(slice(values, [0, 0, at], [batch, n, 1]), [batch, n]);
  const order = (below: number): Tensor => part(others, (others.shape[2] as number) - 1 - below);
  const own = mul(div(order(1), column(k)), div(order(1), column(k - 1)));
  const bracket = k === 1 ? own : sub(own, mul(div(order(2), column(k - 1)), div(order(0), column(k))));
  const atOthers = mul(mul(mul(part(tree[0], 0), part(tree[0], 1)), bracket), step);
  const there = greater(step, 0);
  return where(labelMask(labels, n), neg(step), where(there, atOthers, zerosLike(atOthers)));
}

/** See above. */
export const products: RowMethod = { forward, gradient };
