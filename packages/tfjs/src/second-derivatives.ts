/**
 * The Hessian of each row's loss times a direction.
 *
 * With L = tau log(1 + e^z) and w = logistic(z): H u = tau (w (1 - w) (grad z . u) grad z + w d(grad z)), d the derivative along u.
 * grad z is g / (k tau) for the other classes, -1 / (k tau) for the label, with
 * g_i = a_i b_i (d_{k-1}^2 - d_{k-2} d_k) / (P_k P_{k-1}) for leaves a_i + b_i X. Its derivative along u is carried through the tree beside
 * the value. Leaves and what is outside them are those of products.ts.
 */
import {
  add,
  concat,
  customGrad,
  div,
  greater,
  mul,
  neg,
  ones,
  reshape,
  slice,
  stack,
  sub,
  sum,
  type Tensor,
  where,
  zeros,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { MarginOptions } from "./margin.ts";
import { leaveOneOutTangent, treeTangent } from "./polynomial-tree.ts";
import { products } from "./products.ts";
import { labelMask, type Rows } from "./row-loss.ts";

/** A value and its derivative along the direction. */
type Dual = readonly [Tensor, Tensor];

function times([a, da]: Dual, [b, db]: Dual): Dual {
  return [mul(a, b), add(mul(da, b), mul(a, db))];
}

function over([a, da]: Dual, [b, db]: Dual): Dual {
  const quotient = div(a, b);
  return [quotient, div(sub(da, mul(quotient, db)), b)];
}

function minus([a, da]: Dual, [b, db]: Dual): Dual {
  return [sub(a, b), sub(da, db)];
}

/**
 * @param direction  shape [batch, n].
 * @returns shape [batch, n]; it cannot be differentiated again.
 */
export function hessianTimes(rows: Rows, direction: Tensor, options: MarginOptions): Tensor {
  return customGrad(() => ({
    value: product(rows, direction, options),
    gradFunc: () => {
      throw new Error("smoothTopkLoss: derivatives beyond the second are not there");
    },
  }))(rows.scores);
}

function product(rows: Rows, direction: Tensor, options: MarginOptions): Tensor {
  const { k, tau } = options;
  const { kept } = products.forward(rows, options);
  const [root, step, ...levels] = kept;
  const [batch, n] = rows.scores.shape as [number, number];
  const leaves = levels[0].shape[1] as number;
  const part = (values: Tensor, at: number): Tensor => reshape(slice(values, [0, 0, at], [-1, -1, 1]), [batch, leaves]);
  const padded = leaves === n ? direction : concat([direction, zeros([batch, leaves - n])], 1);
  const moved = mul(mul(part(levels[0], 0), part(levels[0], 1)), div(padded, k * tau));
  const tangents = treeTangent(levels, stack([neg(moved), moved], 2), k);
  const rest = concat([ones([batch, 1]), zeros([batch, k])], 1);
  const outside = leaveOneOutTangent(levels, tangents, rest, k);
  const orders = outside.value.shape[2] as number;
  const without = (below: number): Dual => [
    part(outside.value, orders - 1 - below),
    part(outside.tangent, orders - 1 - below),
  ];
  const rootTangent = reshape(tangents.at(-1) as Tensor, root.shape);
  const order = (at: number): Dual => [slice(root, [0, at], [batch, 1]), slice(rootTangent, [0, at], [batch, 1])];
  const own = times(over(without(1), order(k)), over(without(1), order(k - 1)));
  const bracket = k === 1 ? own : minus(own, times(over(without(2), order(k - 1)), over(without(0), order(k))));
  const leaf: Dual = times([part(levels[0], 0), neg(moved)], [part(levels[0], 1), moved]);
  const cut = (values: Tensor): Tensor => slice(values, [0, 0], [batch, n]);
  const [slope, change] = times(leaf, bracket).map((values) => div(cut(values), k * tau)) as [Tensor, Tensor];
  const isLabel = labelMask(rows.labels, n);
  const slopes = where(isLabel, -1 / (k * tau), slope);
  const weight = mul(step, k);
  const along = sum(mul(slopes, direction), 1, true);
  const curved = mul(mul(mul(weight, sub(1, weight)), along), slopes);
  const result = mul(add(curved, mul(where(isLabel, zerosLike(change), change), weight)), tau);
  // Without k other classes the polynomials are 0 and the quotients are not numbers.
  return where(greater(step, 0), result, zerosLike(result));
}
