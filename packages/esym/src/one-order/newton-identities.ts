/**
 * The polynomial prod_i (1 + e_i X) of light entries from their power sums, by Newton's identities:
 *
 *   j c_j = p_1 c_{j-1} - p_2 c_{j-2} + p_3 c_{j-3} - ...
 *
 * Where e_i c_{j-1} / c_j <= theta for every entry and order, p_m c_{j-m} / (j c_j) falls like theta^(m-1): nothing cancels, and
 * the errors of neighbouring coefficients differ by a few roundings, whatever the order (docs/algorithm.md, section 11).
 * The first two terms are taken to twice the working precision, those that follow weigh theta^2 and less.
 */
import { VELTKAMP } from "../numbers/double-double.ts";

/** Coefficients are brought down when they pass this. */
const RESCALE_ABOVE = 2 ** 400;

/**
 * (hi + lo)[j] = c_j 2^(-exponent) for 0 <= j <= k; those that underflow are below 2^-600 of c_k.
 *
 * @param p      p_m at index m, powers of entries in the unit of X.
 * @param rest   what p_1 lacks by rounding.
 * @param count  power sums used, at most k of which have any effect.
 */
export function newtonIdentities(
  p: Float64Array,
  rest: number,
  count: number,
  k: number,
  hi: Float64Array,
  lo: Float64Array,
): void {
  hi[0] = 1;
  lo[0] = 0;
  const p1 = p[1];
  const t1 = VELTKAMP * p1;
  const p1h = t1 - (t1 - p1);
  const p1l = p1 - p1h;
  const p2 = p[2];
  const t2 = VELTKAMP * p2;
  const p2h = t2 - (t2 - p2);
  const p2l = p2 - p2h;
  for (let j = 1; j <= k; j++) {
    let tail = 0;
    let m = Math.min(j, count);
    // Small terms first, in pairs of one sign each.
    if ((m & 1) === 1 && m >= 3) {
      tail = p[m] * hi[j - m];
      m--;
    }
    for (; m >= 4; m -= 2) tail = tail - p[m] * hi[j - m] + p[m - 1] * hi[j - m + 1];

    const c1 = hi[j - 1];
    let t = VELTKAMP * c1;
    const c1h = t - (t - c1);
    const c1l = c1 - c1h;
    const first = p1 * c1;
    const firstRest = p1l * c1l - (first - p1h * c1h - p1l * c1h - p1h * c1l);
    let sum = first;
    let sumRest = firstRest + (p1 * lo[j - 1] + rest * c1) + tail;
    if (j >= 2) {
      const c2 = hi[j - 2];
      t = VELTKAMP * c2;
      const c2h = t - (t - c2);
      const c2l = c2 - c2h;
      const second = p2 * c2;
      const secondRest = p2l * c2l - (second - p2h * c2h - p2l * c2h - p2h * c2l);
      sum = first - second;
      // |first| >= |second| where entries are light; the difference is exact to twice the precision.
      sumRest += first - sum - second - secondRest - p2 * lo[j - 2];
    }
    const whole = sum + sumRest;
    const wholeRest = sum - whole + sumRest;
    const q = whole / j;
    t = VELTKAMP * q;
    const qh = t - (t - q);
    const remainder = whole - qh * j - (q - qh) * j + wholeRest;
    hi[j] = q;
    lo[j] = remainder / j;
    if (q > RESCALE_ABOVE) rescale(hi, lo, j);
  }
}

function rescale(hi: Float64Array, lo: Float64Array, top: number): void {
  const factor = 2 ** -Math.floor(Math.log2(hi[top]));
  for (let j = 0; j <= top; j++) {
    hi[j] *= factor;
    lo[j] *= factor;
  }
}
