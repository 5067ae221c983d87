/**
 * Exponentials on the host, for results in single precision: a table of 2^(j/64) and a cubic, in double precision.
 *
 * Relative error below 2^-30: of the reduced argument |r| <= ln 2 / 128 the series leaves r^4 / 24 < 2^-34, and an argument of 87 in
 * size is off by 87 * 2^-53. The exponential of packages/esym is right to the last digit of a double and takes 1.6 times as long.
 */

const STEPS = 64;
const table: Float64Array = Float64Array.from({ length: STEPS }, (_, j) => 2 ** (j / STEPS));
/** Below 2^-126 lies nothing that single precision has all digits of. */
const LOWEST_POWER = 126;
const powers: Float64Array = Float64Array.from({ length: LOWEST_POWER + 1 }, (_, i) => 2 ** (i - LOWEST_POWER));
const LOWEST = -LOWEST_POWER * Math.LN2;
/** Adding and subtracting 1.5 * 2^52 rounds to an integer. */
const ROUND = 6755399441055744;

/** out[i] = exp((x[i] - centre) inverse) for i < n, every x[i] <= centre; 0 where that is below 2^-126. */
export function expOfDifferences(x: Float64Array, n: number, centre: number, inverse: number, out: Float64Array): void {
  for (let i = 0; i < n; i++) {
    const t = (x[i] - centre) * inverse;
    if (t >= LOWEST) {
      const m = t * (STEPS / Math.LN2) + ROUND - ROUND;
      const r = t - m * (Math.LN2 / STEPS);
      const step = m | 0;
      out[i] = table[step & (STEPS - 1)] * (1 + r * (1 + r * (0.5 + r * (1 / 6)))) * powers[(step >> 6) + LOWEST_POWER];
    } else {
      out[i] = 0;
    }
  }
}
