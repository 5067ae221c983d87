/**
 * Products of linear factors a + b X, truncated after degree k: sums of non-negative products, nothing cancels.
 *
 * Plain, two coefficients at a time; and compensated, where each coefficient is hi + lo and TwoProduct and TwoSum (Dekker,
 * Knuth) keep what rounding loses: rows of equal factors round alike at every step, so that plain errors add up instead of
 * averaging, and the ratio of two coefficients is promised to 8 u. Polynomials have two zeros, at least, before coefficient 0.
 */
import { exponentOf, get, getPair, powerOfTwo, set, setPair } from "./cells";

/** Where a coefficient passes this, the polynomial is scaled down. */
const RESCALE_ABOVE: f64 = 2.582249878086909e120; // 2^400
/** Factors between two looks at the range: each grows coefficients fourfold at most. */
const LOOK_EVERY: i32 = 127;
const VELTKAMP: f64 = 134217729;

/** Divides p[0..k] (and lo, if there) by a power of two where it has grown too large; returns its exponent. */
export function rescale(p: usize, lo: usize, k: i32): i32 {
  let most = f64x2.splat(0);
  for (let j = k; j > 0; j -= 2) most = f64x2.pmax(most, getPair(p, j - 1));
  const largest = max(get(p, 0), max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1)));
  if (!(largest > RESCALE_ABOVE)) return 0;
  const exponent = exponentOf(largest);
  scaleBy(p, k, powerOfTwo(-exponent));
  if (lo !== 0) scaleBy(lo, k, powerOfTwo(-exponent));
  return exponent;
}

export function scaleBy(p: usize, k: i32, factor: f64): void {
  for (let j = 0; j <= k; j++) set(p, j, get(p, j) * factor);
}

/** p = p (a + b X). */
export function multiplyFactor(p: usize, k: i32, a: f64, b: f64): void {
  const constant = f64x2.splat(a);
  const linear = f64x2.splat(b);
  for (let j = k - 1; j >= -1; j -= 2) {
    setPair(p, j, f64x2.add(f64x2.mul(constant, getPair(p, j)), f64x2.mul(linear, getPair(p, j - 1))));
  }
}

/** p = p times the factors from <= g < to; returns the exponent of the power of two taken out. */
export function multiplyFactors(p: usize, k: i32, constant: usize, linear: usize, from: i32, to: i32): i32 {
  let exponent = 0;
  for (let g = from; g < to; g++) {
    multiplyFactor(p, k, get(constant, g), get(linear, g));
    if ((g & LOOK_EVERY) === LOOK_EVERY) exponent += rescale(p, 0, k);
  }
  return exponent + (to - from > 64 ? rescale(p, 0, k) : 0);
}

/** p = p prod (1 + e_i X) over i < n, two factors at a time; returns the exponent taken out. */
export function multiplyEntries(p: usize, k: i32, e: usize, n: i32): i32 {
  let exponent = 0;
  let since = 0;
  for (let i = 0; i < n; i += 2) {
    // (1 + aX)(1 + bX) = 1 + (a + b) X + ab X^2
    const a = get(e, i);
    const b = get(e, i + 1);
    if (a === 0 && b === 0) continue;
    const s = f64x2.splat(a + b);
    const q = f64x2.splat(a * b);
    for (let j = k - 1; j >= 0; j -= 2) {
      const sum = f64x2.add(f64x2.mul(s, getPair(p, j - 1)), f64x2.mul(q, getPair(p, j - 2)));
      setPair(p, j, f64x2.add(getPair(p, j), sum));
    }
    since += 2;
    if (since > LOOK_EVERY) {
      since = 0;
      exponent += rescale(p, 0, k);
    }
  }
  return exponent + rescale(p, 0, k);
}

/** (hi + lo) = (hi + lo)(a + b X), a and b in [0, 2), one of them in [1, 2). */
export function multiplyCompensated(hi: usize, lo: usize, k: i32, a: f64, b: f64): void {
  const split = f64x2.splat(VELTKAMP);
  const va = f64x2.splat(a);
  const vb = f64x2.splat(b);
  let t = f64x2.mul(split, va);
  const ah = f64x2.sub(t, f64x2.sub(t, va));
  const al = f64x2.sub(va, ah);
  t = f64x2.mul(split, vb);
  const bh = f64x2.sub(t, f64x2.sub(t, vb));
  const bl = f64x2.sub(vb, bh);
  const unit = a === 1;
  for (let j = k - 1; j >= -1; j -= 2) {
    const h = getPair(hi, j);
    const below = getPair(hi, j - 1);
    // q + qe = b h_{j-1}
    let s = f64x2.mul(split, below);
    let x = f64x2.sub(s, f64x2.sub(s, below));
    let y = f64x2.sub(below, x);
    const q = f64x2.mul(below, vb);
    let rest = product(x, y, bh, bl, q);
    rest = f64x2.add(rest, f64x2.mul(vb, getPair(lo, j - 1)));
    let p = h;
    if (unit) {
      rest = f64x2.add(rest, getPair(lo, j));
    } else {
      s = f64x2.mul(split, h);
      x = f64x2.sub(s, f64x2.sub(s, h));
      y = f64x2.sub(h, x);
      p = f64x2.mul(h, va);
      rest = f64x2.add(rest, f64x2.add(product(x, y, ah, al, p), f64x2.mul(va, getPair(lo, j))));
    }
    const sum = f64x2.add(p, q);
    const back = f64x2.sub(sum, p);
    rest = f64x2.add(rest, f64x2.add(f64x2.sub(p, f64x2.sub(sum, back)), f64x2.sub(q, back)));
    setPair(hi, j, sum);
    setPair(lo, j, rest);
  }
}

/** What the product p = (x + y)(ch + cl) lost in rounding; x, ch, y, cl the halves of the factors. */
// @ts-ignore: decorator
@inline
function product(x: v128, y: v128, ch: v128, cl: v128, p: v128): v128 {
  const first = f64x2.sub(f64x2.mul(x, ch), p);
  return f64x2.add(f64x2.add(f64x2.add(first, f64x2.mul(x, cl)), f64x2.mul(y, ch)), f64x2.mul(y, cl));
}

/** The same as {@link multiplyFactors}, compensated. */
export function multiplyFactorsCompensated(hi: usize, lo: usize, k: i32, constant: usize, linear: usize, to: i32): i32 {
  let exponent = 0;
  for (let g = 0; g < to; g++) {
    multiplyCompensated(hi, lo, k, get(constant, g), get(linear, g));
    if ((g & LOOK_EVERY) === LOOK_EVERY) exponent += rescale(hi, lo, k);
  }
  return exponent + rescale(hi, lo, k);
}

/** The same as {@link multiplyEntries}, compensated. */
export function multiplyEntriesCompensated(hi: usize, lo: usize, k: i32, e: usize, n: i32): i32 {
  let exponent = 0;
  let since = 0;
  for (let i = 0; i < n; i++) {
    const v = get(e, i);
    if (v === 0) continue;
    multiplyCompensated(hi, lo, k, 1, v);
    if (++since > LOOK_EVERY) {
      since = 0;
      exponent += rescale(hi, lo, k);
    }
  }
  return exponent + rescale(hi, lo, k);
}

/** hi = hi + lo rounded. */
export function settle(hi: usize, lo: usize, k: i32): void {
  for (let j = 0; j <= k; j++) set(hi, j, get(hi, j) + get(lo, j));
}
