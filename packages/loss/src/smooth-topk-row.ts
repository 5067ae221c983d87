/**
 * The smooth top-k loss of one sample: L = tau softplus(z) and its gradient.
 *
 *   z = alpha / tau + log sigma_k(e without y) - log sigma_{k-1}(e without y) - s_y / (k tau)
 *
 * The large parts of z that cancel are (k alpha + c - s_y) / (k tau), c the centre of the row: kept to twice the
 * working precision and divided once. docs/algorithm.md, section 5.
 */
import {
  divide,
  type ExponentialScale,
  logRatio,
  logRatioGradient,
  type LogRatioWorkspace,
} from "@smooth-topk/esym/kernel";
import { exactMargin } from "./exact-margin.ts";
import { softplus } from "./softplus.ts";

/**
 * @param work    for n scores and order k, 1 <= k <= n - 1.
 * @param x       the scores, n of them; overwritten.
 * @param scale   exponentials of temperature k tau.
 * @param weight  multiplies the gradient.
 * @param grad    receives weight dL/ds at grad[offset..offset + n), or null.
 * @returns L, without the weight.
 */
export function smoothTopkRow(
  work: LogRatioWorkspace,
  x: Float64Array,
  scale: ExponentialScale,
  tau: number,
  alpha: number,
  label: number,
  weight: number,
  grad: Float64Array | null,
  offset: number,
): number {
  const labelScore = x[label];
  x[label] = -Infinity;
  const { n, k } = work;
  if (!logRatio(work, x, scale)) {
    grad?.fill(0, offset, offset + n);
    return 0;
  }
  const margin = exactMargin(k, alpha, work.centre, labelScore);
  const { value, derivative } = softplus(work.ratio, divide(margin, scale.temperature));
  if (grad !== null) {
    const step = (weight * derivative) / k;
    logRatioGradient(work, step, grad, offset);
    grad[offset + label] = -step;
  }
  return tau * value;
}
