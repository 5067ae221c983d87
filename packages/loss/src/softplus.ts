/**
 * softplus(z) = log(1 + exp(z)) and its derivative logistic(z), where exp(z) = ratio exp(a).
 *
 * Taking the ratio as it is, and a to twice the working precision, saves the logarithm and the cancellation of the
 * sum log(ratio) + a: both results are within a few u of exact for z of either sign and any size.
 */
import { type DoubleDouble, extendedExp, powerOfTwo } from "@smooth-topk/esym/kernel";

/** Above 2^1000, log(1 + E) = log E to every digit. */
const LARGEST_EXPONENT = 1000;

export interface Softplus {
  readonly value: number;
  readonly derivative: number;
}

/** @param ratio  a positive number between 2^-20 and 2^60. */
export function softplus(ratio: number, a: DoubleDouble): Softplus {
  const { mantissa, exponent } = extendedExp(a[0], a[1]);
  if (exponent < -2 * LARGEST_EXPONENT) return { value: 0, derivative: 0 };
  if (exponent > LARGEST_EXPONENT) return { value: a[0] + (a[1] + Math.log(ratio)), derivative: 1 };
  // In two steps, so that a result in the subnormal range is rounded once.
  const half = Math.trunc(exponent / 2);
  const odds = ratio * mantissa * powerOfTwo(half) * powerOfTwo(exponent - half);
  return { value: Math.log1p(odds), derivative: odds / (1 + odds) };
}
