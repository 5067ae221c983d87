/**
 * Errors in units of the rounding error, u = 2^-53 in double precision, 2^-24 in single precision: the unit in which
 * accuracy is promised and tested.
 */

/** The unit roundoff of each precision. */
export const UNIT_ROUNDOFF: { readonly float64: number; readonly float32: number } = {
  float64: 2 ** -53,
  float32: 2 ** -24,
};

/**
 * |actual - expected| / (scale u): how many rounding errors of a number of size `scale` lie between the two.
 *
 * @param actual    the value to judge.
 * @param expected  the correctly rounded value.
 * @param scale     what the error is relative to, > 0; |expected| by default. Give max(1, |expected|) for an error
 *                  that is absolute below 1.
 * @param u         the unit; 2^-53 by default. Give `UNIT_ROUNDOFF.float32` for results in single precision.
 * @returns 0 where both are the same number, the same infinity or NaN (whatever the scale); Infinity where only one
 *          is NaN, where they differ and one is infinite, and where they differ at scale 0; never NaN.
 *
 * Exact to a few rounding errors of its own: the difference of close numbers is exact.
 *
 * @example
 * errorInU(1 + 2 ** -52, 1); // 2
 */
export function errorInU(
  actual: number,
  expected: number,
  scale: number = Math.abs(expected),
  u: number = UNIT_ROUNDOFF.float64,
): number {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  const difference = Math.abs(actual - expected);
  if (!Number.isFinite(difference)) return Infinity;
  // Not difference / (scale u): that product underflows for a small scale.
  return difference / scale / u;
}

/**
 * The largest {@link errorInU} over the entries of two arrays.
 *
 * @param scale  one for all entries, a function of an expected value, or |expected| by default.
 * @returns 0 for empty arrays.
 * @throws RangeError if the lengths differ.
 *
 * @example
 * largestErrorInU([1, 2 + 2 ** -51], [1, 2]); // 2
 */
export function largestErrorInU(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  scale: number | ((expected: number) => number) = Math.abs,
  u: number = UNIT_ROUNDOFF.float64,
): number {
  if (actual.length !== expected.length) {
    throw new RangeError(
      `largestErrorInU: actual has length ${actual.length}, expected that of expected, ${expected.length}`,
    );
  }
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const size = typeof scale === "number" ? scale : scale(expected[i]);
    largest = Math.max(largest, errorInU(actual[i], expected[i], size, u));
  }
  return largest;
}
