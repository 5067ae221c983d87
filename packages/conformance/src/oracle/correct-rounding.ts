/**
 * Correct rounding by Ziv's strategy: enclose, round both ends (to double, say), and where they differ enclose again
 * with more bits.
 *
 * The loop ends by itself unless the exact value is a midpoint of two doubles, which no enclosure of positive width
 * resolves. (An exact double is no obstacle: both ends round to it. Nor is an exact zero, once the enclosure is
 * narrower than the least double.) When can a midpoint be exact? By the theorem of Lindemann and Weierstrass the
 * logarithm of a sum of at least two exponentials of doubles is no double and no midpoint, and a quotient of two such
 * sums is rational only where all terms group into equal exponents; then its denominator is at most the number of
 * entries, far below the 2^53 that a midpoint needs. What is left are combinations of such rationals with the
 * caller's doubles (a cotangent, a score difference whose correction is below 2^-8192 of it). So at the last
 * precision the centre is rounded to a few hundred bits, which lands on the midpoint, then to double, ties to even.
 * The result is wrong only if the exact value is not a midpoint but within 2^-8000 of one, relative to itself. The same
 * holds for the midpoints of decimal fractions, which lie as densely.
 */
import type { Enclosure, Enclosures } from "./enclosures.ts";
import type { Rounding } from "./rounding.ts";

/** MPFR's fastest multiplication of two limbs ends at 127 bits; that leaves 74 for cancellation and bad luck. */
const PRECISIONS = [127, 256, 512, 1024, 2048, 4096, 8192];

/**
 * Encloses the values whose index is pending, at the precision of the enclosures, and settles each.
 * Settling an index that is not pending does nothing.
 */
export type Enclose = (pending: Uint8Array, settle: (index: number, enclosure: Enclosure) => void) => void;

/**
 * @param wanted  1 for every value to settle.
 * @returns shape of wanted: the values correctly rounded, 0 where none is wanted.
 */
export function roundCorrectly<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  wanted: Uint8Array,
  enclose: Enclose,
): Value[] {
  const rounded = Array.from(wanted, () => rounding.exact(0));
  const pending = wanted.slice();
  let left = pending.reduce((sum, flag) => sum + flag, 0);
  const first = PRECISIONS.findIndex((bits) => bits >= rounding.leastBits);
  for (let attempt = first; left > 0; attempt++) {
    if (attempt === PRECISIONS.length) throw new Error(`roundCorrectly: ${left} values were never enclosed`);
    const last = attempt === PRECISIONS.length - 1;
    enclosures.setPrecision(PRECISIONS[attempt]);
    try {
      enclose(pending, (index, enclosure) => {
        if (pending[index] === 0) return;
        let value = rounding.round(enclosures, enclosure);
        if (value === undefined && last) {
          value = rounding.roundCentre(enclosures, enclosure);
          if (value === undefined) throw new Error(`roundCorrectly: no enclosure of value ${index}`);
        }
        if (value === undefined) return;
        rounded[index] = value;
        pending[index] = 0;
        left--;
      });
    } finally {
      enclosures.release(0);
    }
  }
  return rounded;
}
