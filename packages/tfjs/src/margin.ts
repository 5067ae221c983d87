/**
 * From a row's ratio of polynomials and its margin to the loss and the weight of the gradient.
 *
 * e^z carries the absolute error of z, so z is kept as a pair of single-precision numbers: (k alpha + c - s_y) / (k tau) is
 * off by abs(z) u otherwise, 5e-6 at z = -80. Each operation of TensorFlow.js is a kernel of its own and rounds once, so
 * the usual error-free sums and products hold on every backend.
 */
import {
  abs,
  add,
  div,
  exp,
  greater,
  less,
  log,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  sub,
  type Tensor,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";

export interface MarginOptions {
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

/** a + b and what rounding took from it. */
function twoSum(a: Tensor, b: Tensor | number): [Tensor, Tensor] {
  const s = add(a, b);
  const t = sub(s, a);
  return [s, add(sub(a, sub(s, t)), sub(b, t))];
}

/** The upper and the lower half of the digits of a number. */
function halves(a: number): [number, number] {
  const t = Math.fround(a * 4097);
  const high = Math.fround(t - Math.fround(t - a));
  return [high, a - high];
}

/** (high + low) / divisor, as a pair. The correction is left out where it is lost anyway and its products could overflow. */
function divide(high: Tensor, low: Tensor, divisor: number): [Tensor, Tensor] {
  const d = Math.fround(divisor);
  const quotient = div(high, d);
  const t = mul(quotient, 4097);
  const upper = sub(t, sub(t, quotient));
  const lower = sub(quotient, upper);
  const [dUpper, dLower] = halves(d);
  const product = mul(quotient, d);
  const rounding = add(
    add(add(sub(mul(upper, dUpper), product), mul(upper, dLower)), mul(lower, dUpper)),
    mul(lower, dLower),
  );
  const rest = add(sub(sub(high, product), rounding), sub(low, mul(quotient, divisor - d)));
  return [quotient, where(less(abs(quotient), 1e4), div(rest, d), zerosLike(quotient))];
}

/** log(1 + x) for x in [0, 1], by the series of 2 artanh(x / (2 + x)): the logarithm of a GPU is no good near 1. */
function log1p(x: Tensor): Tensor {
  const y = div(x, add(x, 2));
  const square = mul(y, y);
  // y <= 1/3: the next term is below 2^-26 of the first.
  let series: Tensor = mul(square, 1 / 15);
  for (const n of [13, 11, 9, 7, 5, 3]) series = mul(square, add(series, 1 / n));
  return mul(mul(y, 2), add(series, 1));
}

/**
 * tau log(1 + e^z) and logistic(z), with z = log(ratio) + (k alpha + centre - labelScore) / (k tau).
 *
 * @param ratio       sigma_k / sigma_{k-1} relative to the centre, between 1 / k and n. Shape [batch], as all of them.
 * @param centre      the k-th largest of the other scores.
 * @param labelScore  s_y.
 */
export function lossOfMargin(
  ratio: Tensor,
  centre: Tensor,
  labelScore: Tensor,
  { k, tau, alpha }: MarginOptions,
): { loss: Tensor; weight: Tensor } {
  const margin = k * alpha;
  const [difference, lost] = twoSum(centre, neg(labelScore));
  const [high, alsoLost] = twoSum(difference, Math.fround(margin));
  const [quotient, correction] = divide(high, add(add(lost, alsoLost), margin - Math.fround(margin)), k * tau);
  const z = add(quotient, add(correction, log(ratio)));
  // e^-abs(quotient) cannot overflow; the rest of z is small.
  const positive = greater(quotient, 0);
  const corrected = mul(ratio, add(correction, 1));
  const power = mul(exp(neg(abs(quotient))), where(positive, div(1, corrected), corrected));
  const floored = maximum(power, 1e-37);
  // e^-abs(z): the sign of z need not be that of the quotient.
  const small = minimum(floored, div(1, floored));
  const share = div(1, add(small, 1));
  return {
    loss: mul(add(relu(z), log1p(small)), tau),
    weight: where(greater(z, 0), share, mul(small, share)),
  };
}
