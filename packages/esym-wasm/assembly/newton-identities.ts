/**
 * Coefficients of prod (1 + e_i X) from power sums: j c_j = p_1 c_{j-1} - p_2 c_{j-2} + ... to order M, by Newton's identities.
 *
 * With inclusion probabilities up to theta the terms fall like theta^m: errors add up along j and are not amplified, and
 * what neighbouring orders share cancels in c_k / c_{k-1}. docs/algorithm.md has the bounds.
 */
import { exponentOf, get, powerOfTwo, set } from "./cells";
import { scaleBy } from "./products";
import { PADDING } from "./room";

/** Where a coefficient passes this, those that are still needed are scaled down. */
const LARGEST: f64 = 2.582249878086909e120; // 2^400

/**
 * c[0..k] up to one power of two, where only the last `PADDING` coefficients have to be to scale. c[-PADDING..0) are 0.
 *
 * @param sums  p_1, -p_2, p_3, ... at sums[1], sums[2], ..., to M = 5, 9, 13 or 17; M >= k is exact.
 */
export function lastCoefficients(sums: usize, M: i32, k: i32, c: usize): void {
  if (M === 5) {
    lastCoefficientsOfFive(sums, k, c);
    return;
  }
  set(c, 0, 1);
  for (let j = 1; j <= k; j++) {
    let a: f64 = 0;
    let b: f64 = 0;
    for (let m = M; m > 1; m -= 2) {
      a += get(sums, m) * get(c, j - m);
      b += get(sums, m - 1) * get(c, j - m + 1);
    }
    // p_1 c_{j-1} last: the only term that waits for the step before.
    const value = (get(sums, 1) * get(c, j - 1) + (a + b)) * (1 / <f64>j);
    set(c, j, value);
    if (value > LARGEST) rescaleLast(c, j);
  }
}

/** The same with the coefficients looked back at in locals. */
function lastCoefficientsOfFive(sums: usize, k: i32, c: usize): void {
  const s1 = get(sums, 1);
  const s2 = get(sums, 2);
  const s3 = get(sums, 3);
  const s4 = get(sums, 4);
  const s5 = get(sums, 5);
  let c1: f64 = 1;
  let c2: f64 = 0;
  let c3: f64 = 0;
  let c4: f64 = 0;
  let c5: f64 = 0;
  set(c, 0, 1);
  for (let j = 1; j <= k; j++) {
    const value = (s1 * c1 + (s2 * c2 + (s3 * c3 + (s4 * c4 + s5 * c5)))) * (1 / <f64>j);
    set(c, j, value);
    c5 = c4;
    c4 = c3;
    c3 = c2;
    c2 = c1;
    c1 = value;
    if (value > LARGEST) {
      rescaleLast(c, j);
      c1 = get(c, j);
      c2 = get(c, j - 1);
      c3 = get(c, j - 2);
      c4 = get(c, j - 3);
      c5 = get(c, j - 4);
    }
  }
}

function rescaleLast(c: usize, j: i32): void {
  for (let l = max(j - PADDING + 1, 0); l <= j; l++) set(c, l, get(c, l) * 3.872591914849318e-121); // 2^-400
}

/** What rounding took from the product of a and b. Dekker. */
// @ts-ignore: decorator
@inline
export function productRest(a: f64, b: f64, product: f64): f64 {
  const ta: f64 = 134217729 * a;
  const ah = ta - (ta - a);
  const al = a - ah;
  const tb: f64 = 134217729 * b;
  const bh = tb - (tb - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/**
 * All coefficients c[0..k], as hi + lo: to be multiplied by further factors. The leading term and the division are kept in two
 * doubles; the others are small against it. Returns the exponent of the power of two taken out.
 *
 * @param sums  p_m at sums[m], and at sums[0] what p_1 lost in rounding.
 */
export function allCoefficients(sums: usize, M: i32, k: i32, hi: usize, lo: usize): i32 {
  set(hi, 0, 1);
  set(lo, 0, 0);
  const p1 = get(sums, 1);
  const p1Rest = get(sums, 0);
  let exponent = 0;
  for (let j = 1; j <= k; j++) {
    const before = get(hi, j - 1);
    const lead = p1 * before;
    const leadRest = productRest(p1, before, lead) + (p1Rest * before + p1 * get(lo, j - 1));
    let rest: f64 = 0;
    for (let m = min(j, M); m > 1; m--) rest += (m & 1 ? get(sums, m) : -get(sums, m)) * get(hi, j - m);
    // lead + rest without loss; |rest| < lead
    const sum = lead + rest;
    const sumRest = rest - (sum - lead) + leadRest;
    const divisor = <f64>j;
    const quotient = sum / divisor;
    const back = quotient * divisor;
    set(hi, j, quotient);
    set(lo, j, (sum - back - productRest(quotient, divisor, back) + sumRest) / divisor);
    if (quotient > LARGEST) {
      const shift = exponentOf(quotient);
      scaleBy(hi, j, powerOfTwo(-shift));
      scaleBy(lo, j, powerOfTwo(-shift));
      exponent += shift;
    }
  }
  return exponent;
}
