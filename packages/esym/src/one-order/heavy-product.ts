/**
 * The few heavy factors (a + b X), max(a, b) = 1, beside the polynomial c of the light entries: coefficients of the product to twice the
 * working precision, and the polynomials without one heavy factor from products of those before and after it.
 */
import { VELTKAMP } from "../numbers/double-double.ts";
import { rescaleExponent } from "./truncated-product.ts";

/** Factors between two looks at the size of the coefficients, which each of them at most doubles. */
const RUN = 128;

/**
 * (hi + lo)(X) 2^exponent = (hi + lo)(X) prod_{g < count} (constant_g + linear_g X) up to degree k, where one of constant_g and
 * linear_g is 1 and the other at most 1. Relative error 12 u^2 for each factor.
 *
 * In plain doubles, equal factors round alike at every step: errors add up instead of averaging.
 *
 * @param degree  of the polynomial before.
 * @returns the exponent of the power of two taken out.
 */
export function multiplyPrecisely(
  constant: Float64Array | null,
  linear: Float64Array,
  count: number,
  degree: number,
  k: number,
  hi: Float64Array,
  lo: Float64Array,
): number {
  let exponent = 0;
  let top = degree;
  for (let g = 0; g < count; g++) {
    const above = constant !== null && constant[g] < 1;
    const v = above ? constant[g] : linear[g];
    if (v === 0 && !above) continue;
    const tv = VELTKAMP * v;
    const vh = tv - (tv - v);
    const vl = v - vh;
    if (top < k) {
      top++;
      hi[top] = 0;
      lo[top] = 0;
    }
    if (above) multiplyReversed(hi, lo, top, v, vh, vl);
    else multiplyBy(hi, lo, top, v, vh, vl);
    if (g % RUN === RUN - 1) exponent += rescale(hi, lo, top);
  }
  return exponent + rescale(hi, lo, top);
}

function rescale(hi: Float64Array, lo: Float64Array, top: number): number {
  const exponent = rescaleExponent(hi, 0, top);
  if (exponent === 0) return 0;
  const factor = 2 ** -exponent;
  for (let j = 0; j <= top; j++) {
    hi[j] *= factor;
    lo[j] *= factor;
  }
  return exponent;
}

/** p_j = p_j + v p_(j-1). */
function multiplyBy(hi: Float64Array, lo: Float64Array, top: number, v: number, vh: number, vl: number): void {
  let y = hi[top];
  let yLow = lo[top];
  for (let j = top; j > 0; j--) {
    const x = hi[j - 1];
    const xLow = lo[j - 1];
    const t = VELTKAMP * x;
    const xh = t - (t - x);
    const xl = x - xh;
    const p = v * x;
    const s = p + y;
    const back = s - p;
    const low = p - (s - back) + (y - back) + (vl * xl - (p - vh * xh - vl * xh - vh * xl) + (v * xLow + yLow));
    const whole = s + low;
    hi[j] = whole;
    lo[j] = s - whole + low;
    y = x;
    yLow = xLow;
  }
}

/** p_j = v p_j + p_(j-1). */
function multiplyReversed(hi: Float64Array, lo: Float64Array, top: number, v: number, vh: number, vl: number): void {
  let x = hi[top];
  let xLow = lo[top];
  for (let j = top; j >= 0; j--) {
    const y = j > 0 ? hi[j - 1] : 0;
    const yLow = j > 0 ? lo[j - 1] : 0;
    const t = VELTKAMP * x;
    const xh = t - (t - x);
    const xl = x - xh;
    const p = v * x;
    const s = p + y;
    const back = s - p;
    const low = p - (s - back) + (y - back) + (vl * xl - (p - vh * xh - vl * xh - vh * xl) + (v * xLow + yLow));
    const whole = s + low;
    hi[j] = whole;
    lo[j] = s - whole + low;
    x = y;
    xLow = yLow;
  }
}

/** The sum of a_h b_(j-h) over h = 0..count, to twice the precision: [hi, lo] into out[at], rest[at]. */
export function preciseCoefficient(
  a: Float64Array,
  aLow: Float64Array,
  count: number,
  b: Float64Array,
  bLow: Float64Array,
  j: number,
  out: Float64Array,
  rest: Float64Array,
  at: number,
): void {
  let sum = 0;
  let low = 0;
  const last = Math.min(count, j);
  for (let h = 0; h <= last; h++) {
    const x = a[h];
    const y = b[j - h];
    let t = VELTKAMP * x;
    const xh = t - (t - x);
    const xl = x - xh;
    t = VELTKAMP * y;
    const yh = t - (t - y);
    const yl = y - yh;
    const p = x * y;
    low += xl * yl - (p - xh * yh - xl * yh - xh * yl) + (x * bLow[j - h] + aLow[h] * y);
    const s = sum + p;
    const back = s - sum;
    low += sum - (s - back) + (p - back);
    sum = s;
  }
  const whole = sum + low;
  out[at] = whole;
  rest[at] = sum - whole + low;
}

/** The sum of a_h b_(j-h) over h = 0..count of non-negative terms. */
export function coefficient(a: Float64Array, count: number, b: Float64Array, j: number): number {
  let s0 = 0;
  let s1 = 0;
  const last = Math.min(count, j);
  let h = 0;
  for (; h < last; h += 2) {
    s0 += a[h] * b[j - h];
    s1 += a[h + 1] * b[j - h - 1];
  }
  if (h === last) s0 += a[h] * b[j - h];
  return s0 + s1;
}

/** Room for the products before each of `count` factors, truncated after degree k. */
export function prefixRoom(count: number, k: number): number {
  return (count + 1) * (Math.min(count, k) + 1);
}

/**
 * Calls for each heavy factor g the coefficients k, k - 1, k - 2 of the product of everything else: out[3 g], out[3 g + 1],
 * out[3 g + 2]. Sums of positive terms: each is off by at most 2 count + 2 roundings.
 *
 * @param light   the polynomial of the light entries, degrees 0 to k; overwritten.
 * @param prefix  length {@link prefixRoom}.
 */
export function withoutEach(
  constant: Float64Array,
  linear: Float64Array,
  count: number,
  k: number,
  light: Float64Array,
  prefix: Float64Array,
  out: Float64Array,
): void {
  const width = Math.min(count, k) + 1;
  prefix.fill(0, 0, width);
  prefix[0] = 1;
  for (let g = 1; g < count; g++) {
    const a = constant[g - 1];
    const b = linear[g - 1];
    const from = (g - 1) * width;
    const to = g * width;
    const degree = Math.min(g, width - 1);
    let before = 0;
    for (let j = 0; j <= degree; j++) {
      const here = prefix[from + j];
      prefix[to + j] = a * here + b * before;
      before = here;
    }
    for (let j = degree + 1; j < width; j++) prefix[to + j] = 0;
  }
  for (let g = count - 1; g >= 0; g--) {
    const at = g * width;
    const degree = Math.min(g, k);
    let d0 = 0;
    let d1 = 0;
    let d2 = 0;
    const whole = Math.min(degree, k - 2);
    for (let l = 0; l <= whole; l++) {
      const q = prefix[at + l];
      d0 += q * light[k - l];
      d1 += q * light[k - 1 - l];
      d2 += q * light[k - 2 - l];
    }
    for (let l = Math.max(0, whole + 1); l <= degree; l++) {
      const q = prefix[at + l];
      d0 += q * light[k - l];
      if (l < k) d1 += q * light[k - 1 - l];
    }
    out[3 * g] = d0;
    out[3 * g + 1] = d1;
    out[3 * g + 2] = d2;
    if (g > 0) {
      const a = constant[g];
      const b = linear[g];
      for (let j = k; j > 0; j--) light[j] = a * light[j] + b * light[j - 1];
      light[0] *= a;
    }
  }
}
