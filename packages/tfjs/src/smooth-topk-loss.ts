/** The smooth top-k loss. */
import { customGrad, type GradSaveFunc, losses, reshape, Tensor, type TensorLike, tidy } from "@tensorflow/tfjs-core";
import { checkNumber, checkOrder, checkReduction, checkRows, type ReductionOption } from "./border.ts";
import { LARGEST_K, lightAndHeavy, listLength } from "./light-and-heavy.ts";
import type { MarginOptions } from "./margin.ts";
import { products } from "./products.ts";
import { differentiable, type RowMethod, type Rows } from "./row-loss.ts";
import { hessianTimes } from "./second-derivatives.ts";

export interface SmoothTopkOptions {
  /** Guesses that the loss allows, 1 <= k <= n - 1. */
  readonly k?: number;
  /** Temperature, > 0. */
  readonly tau?: number;
  /** Margin. */
  readonly alpha?: number;
}

export interface WeightedOptions {
  /** A weight for each sample: of rank 0, or of the rank of the losses and broadcast to them, as in `tf.losses`. */
  readonly weights?: Tensor | TensorLike;
  readonly reduction?: ReductionOption;
}

/**
 * The smooth top-k loss of Berrada, Zisserman and Kumar (2018), in the manner of `tf.losses`.
 *
 * For each sample tau log(1 + e^z), z = alpha / tau + log sigma_k - log sigma_{k-1} - s_y / (k tau), with the elementary symmetric
 * polynomials sigma of exp(s / (k tau)) without the label y.
 *
 * @param labels   class indices, shape [...] or [..., 1], or one-hot, shape [..., n].
 * @param scores   shape [..., n]; -Infinity masks a class.
 * @param options  k = 5, tau = 1, alpha = 1; weights of the samples; reduction, by default the mean.
 * @returns a scalar, or the losses of shape [...] with the reduction "none". A label on the device that is out of range, masked
 *   or not one-hot makes its loss NaN: it is not read back.
 * @throws RangeError naming the argument and its value, if an option is out of range, shapes do not fit, or k is too large
 *   for single precision or memory: above 80 where n times k is above 2 million.
 *
 * Everything is computed by operations on the active backend. Differentiable twice by `tf.grad`, in the scores. In single precision:
 * loss within 1e-5 relative, gradient within 1e-3 relative and 1e-5 of the row's largest entry. Time O(nM + k^2 log k), with M <= k power
 * sums (5 at k = 5); as much memory as the scores while the gradient is waited for.
 *
 * @example
 * ```ts
 * const scores = tf.tensor2d([[2, 1, 0.5, -1, 0]]);
 * smoothTopkLoss([1], scores, { k: 2 }).print();
 * ```
 */
export function smoothTopkLoss(
  labels: Tensor | TensorLike,
  scores: Tensor | TensorLike,
  options: SmoothTopkOptions & WeightedOptions = {},
): Tensor {
  const name = "smoothTopkLoss";
  const { k = 5, tau = 1, alpha = 1, weights, reduction = "sum-by-nonzero-weights" } = options;
  checkNumber(name, "tau", tau, 0);
  checkNumber(name, "alpha", alpha);
  const how = checkReduction(name, reduction);
  return tidy(() => {
    const { scores: rows, labels: indices, inRange, leading, n } = checkRows(name, labels, scores);
    checkOrder(name, k, n);
    const margin = { k, tau, alpha };
    const method = methodFor(name, k, n);
    const each = differentiable(
      (at) => method.forward(at, margin),
      (at, kept) => rowGradients(method, at, kept, margin),
      indices,
      inRange,
    );
    return losses.computeWeightedLoss(reshape(each(rows), leading), weights, how);
  });
}

function methodFor(name: string, k: number, n: number): RowMethod {
  if (k <= LARGEST_K && n >= 2 * listLength(k)) return lightAndHeavy;
  if (n * k <= 2 ** 21) return products;
  throw new RangeError(
    `${name}: k is ${k}, expected at most ${LARGEST_K} for ${n} classes: single precision holds no more on this backend`,
  );
}

/** The gradients of rows from what their losses have kept, differentiable once more. */
function rowGradients(method: RowMethod, rows: Rows, kept: readonly Tensor[], options: MarginOptions): Tensor {
  return customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [scores, save] = inputs as [Tensor, GradSaveFunc];
    const value = method.gradient({ scores, labels: rows.labels }, kept, options);
    save([scores, rows.labels]);
    const gradFunc = (direction: Tensor, [at, labels]: Tensor[]): Tensor =>
      hessianTimes({ scores: at, labels }, direction, options);
    return { value, gradFunc };
  })(rows.scores);
}
