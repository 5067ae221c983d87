/**
 * The smooth top-k SVM of one sample: L = tau softplus(z) and its gradient.
 *
 *   z = alpha / tau + log sigma_k(e without y) - log sigma_{k-1}(e without y) - s_y / (k tau)
 *
 * The large parts of z that cancel are (k alpha + c - s_y) / (k tau), c the centre of the row: kept to twice the
 * working precision and divided once. docs/algorithm.md, section 5.
 */
import {
  add,
  type CentredRow,
  divide,
  type ExponentialScale,
  factorise,
  leaveOneOut,
  twoProduct,
  twoSum,
} from "@smooth-topk/esym/kernel";
import { softplus } from "./softplus.ts";

/**
 * @param x       the scores; overwritten.
 * @param scale   exponentials of temperature k tau.
 * @param weight  multiplies the gradient.
 * @param grad    receives weight dL/ds at grad[offset..offset + n), or null.
 * @returns L, without the weight.
 */
export function smoothTopkRow(
  row: CentredRow,
  x: Float64Array,
  scale: ExponentialScale,
  tau: number,
  alpha: number,
  label: number,
  weight: number,
  grad: Float64Array | null,
  offset: number,
): number {
  const { n, k, full } = row;
  const labelScore = x[label];
  x[label] = -Infinity;
  if (!factorise(row, x, scale)) {
    grad?.fill(0, offset, offset + n);
    return 0;
  }
  const margin = add(twoProduct(k, alpha), twoSum(row.centre, -labelScore));
  const { value, derivative } = softplus(full[k] / full[k - 1], divide(margin, scale.temperature));
  if (grad !== null) {
    const step = (weight * derivative) / k;
    leaveOneOut(row, 0, step, grad, offset);
    grad[offset + label] = -step;
  }
  return tau * value;
}
