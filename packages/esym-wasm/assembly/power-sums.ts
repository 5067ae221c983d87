/**
 * Power sums p_m = sum of e_i^m.
 *
 * Doubles: p_1, which the result follows one to one, sums eight entries as a tree and carries on with TwoSum: 4 u whatever
 * n. The others count for less, by the largest inclusion probability theta per power: blocks of 128 entries, whose sums are
 * added up. Floats: blocks of 128 entries in floats (32 additions a lane), their sums in doubles.
 */
import { set } from "./cells";
import { expPair, expQuad, inverse, stepHi, stepLo, steps } from "./exponential";
import { sumsAt } from "./room";

/** Powers that the first pass sums, beside those of a k = 1. */
export const FIRST_POWERS: i32 = 5;
export const FIRST_POWERS_F32: i32 = 4;
/** Powers that each further pass adds, and what there is at most. */
export const MORE_POWERS: i32 = 4;
export const MOST_POWERS: i32 = 17;
export const MOST_POWERS_F32: i32 = 8;

/** Bytes of a block: 128 doubles, 128 floats. */
const BLOCK: usize = 1024;
const BLOCK_F32: usize = 512;

// @ts-ignore: decorator
@inline
function sumOf(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** p_1 of e[0..n), zero from n on to a multiple of 8; what it lost in rounding goes to sums[0]. */
export function firstSum(e: usize, n: i32): void {
  let total = f64x2.splat(0);
  let rest = f64x2.splat(0);
  const end = e + ((<usize>n) << 3);
  for (; e < end; e += 64) {
    const s = f64x2.add(
      f64x2.add(v128.load(e), v128.load(e, 16)),
      f64x2.add(v128.load(e, 32), v128.load(e, 48)),
    );
    const next = f64x2.add(total, s);
    const back = f64x2.sub(next, total);
    rest = f64x2.add(rest, f64x2.add(f64x2.sub(total, f64x2.sub(next, back)), f64x2.sub(s, back)));
    total = next;
  }
  const a = f64x2.extract_lane(total, 0);
  const b = f64x2.extract_lane(total, 1);
  const sum = a + b;
  const back = sum - a;
  const lost = a - (sum - back) + (b - back) + sumOf(rest);
  const p1 = sum + lost;
  set(sumsAt, 1, p1);
  set(sumsAt, 0, sum - p1 + lost);
}

/** In place e = exp((x - c) / T), and p_2 to p_5 where `powers` says so. */
export function exponentialsAndSums(x: usize, n: i32, c: f64, e: usize, powers: bool): void {
  const centre = f64x2.splat(c);
  const perStep = f64x2.splat(steps);
  const hi = f64x2.splat(stepHi);
  const lo = f64x2.splat(stepLo);
  const inv = f64x2.splat(inverse);
  const end = x + ((<usize>((n + 1) & ~1)) << 3);
  if (!powers) {
    for (; x < end; x += 16, e += 16) v128.store(e, expPair(v128.load(x), centre, perStep, hi, lo, inv));
    return;
  }
  let t2 = f64x2.splat(0);
  let t3 = f64x2.splat(0);
  let t4 = f64x2.splat(0);
  let t5 = f64x2.splat(0);
  while (x < end) {
    const to = min(x + BLOCK, end);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    let s4 = f64x2.splat(0);
    let s5 = f64x2.splat(0);
    for (; x < to; x += 16, e += 16) {
      const v = expPair(v128.load(x), centre, perStep, hi, lo, inv);
      v128.store(e, v);
      const v2 = f64x2.mul(v, v);
      const v3 = f64x2.mul(v2, v);
      s2 = f64x2.add(s2, v2);
      s3 = f64x2.add(s3, v3);
      s4 = f64x2.add(s4, f64x2.mul(v2, v2));
      s5 = f64x2.add(s5, f64x2.mul(v3, v2));
    }
    t2 = f64x2.add(t2, s2);
    t3 = f64x2.add(t3, s3);
    t4 = f64x2.add(t4, s4);
    t5 = f64x2.add(t5, s5);
  }
  set(sumsAt, 2, sumOf(t2));
  set(sumsAt, 3, sumOf(t3));
  set(sumsAt, 4, sumOf(t4));
  set(sumsAt, 5, sumOf(t5));
}

/** p_2 to p_5 of given e[0..n), zero beyond to a multiple of 2. */
export function firstPowers(e: usize, n: i32): void {
  morePowers(e, n, 1);
}

/** e^m in both lanes. */
// @ts-ignore: decorator
@inline
function raised(v: v128, m: i32): v128 {
  if (m === 1) return v;
  const v2 = f64x2.mul(v, v);
  const v4 = f64x2.mul(v2, v2);
  const v8 = f64x2.mul(v4, v4);
  return f64x2.mul(m === 5 ? v4 : m === 9 ? v8 : f64x2.mul(v8, v4), v);
}

/** p_{m + 1} to p_{m + 4} of e[0..n), m one of 1, 5, 9, 13. */
export function morePowers(e: usize, n: i32, m: i32): void {
  let t1 = f64x2.splat(0);
  let t2 = f64x2.splat(0);
  let t3 = f64x2.splat(0);
  let t4 = f64x2.splat(0);
  const end = e + ((<usize>((n + 1) & ~1)) << 3);
  while (e < end) {
    const to = min(e + BLOCK, end);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    let s4 = f64x2.splat(0);
    for (; e < to; e += 16) {
      const v = v128.load(e);
      const v2 = f64x2.mul(v, v);
      const a = f64x2.mul(raised(v, m), v);
      const b = f64x2.mul(a, v);
      s1 = f64x2.add(s1, a);
      s2 = f64x2.add(s2, b);
      s3 = f64x2.add(s3, f64x2.mul(a, v2));
      s4 = f64x2.add(s4, f64x2.mul(b, v2));
    }
    t1 = f64x2.add(t1, s1);
    t2 = f64x2.add(t2, s2);
    t3 = f64x2.add(t3, s3);
    t4 = f64x2.add(t4, s4);
  }
  set(sumsAt, m + 1, sumOf(t1));
  set(sumsAt, m + 2, sumOf(t2));
  set(sumsAt, m + 3, sumOf(t3));
  set(sumsAt, m + 4, sumOf(t4));
}

/** The four lanes of floats, as two sums of doubles. */
// @ts-ignore: decorator
@inline
function widened(v: v128): v128 {
  const upper = i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(upper));
}

/** In place e = exp((x - c) / T) of floats, and p_1, with p_2 to p_4 where `powers` says so. */
export function floatExponentialsAndSums(x: usize, n: i32, c: f64, powers: bool): void {
  const centre = f32x4.splat(<f32>c);
  const perStep = f32x4.splat(<f32>steps);
  const end = x + ((<usize>((n + 3) & ~3)) << 2);
  let t1 = f64x2.splat(0);
  let t2 = f64x2.splat(0);
  let t3 = f64x2.splat(0);
  let t4 = f64x2.splat(0);
  while (x < end) {
    const to = min(x + BLOCK_F32, end);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let s4 = f32x4.splat(0);
    if (powers) {
      for (; x < to; x += 16) {
        const v = expQuad(v128.load(x), centre, perStep);
        v128.store(x, v);
        const v2 = f32x4.mul(v, v);
        s1 = f32x4.add(s1, v);
        s2 = f32x4.add(s2, v2);
        s3 = f32x4.add(s3, f32x4.mul(v2, v));
        s4 = f32x4.add(s4, f32x4.mul(v2, v2));
      }
      t2 = f64x2.add(t2, widened(s2));
      t3 = f64x2.add(t3, widened(s3));
      t4 = f64x2.add(t4, widened(s4));
    } else {
      for (; x < to; x += 16) {
        const v = expQuad(v128.load(x), centre, perStep);
        v128.store(x, v);
        s1 = f32x4.add(s1, v);
      }
    }
    t1 = f64x2.add(t1, widened(s1));
  }
  set(sumsAt, 1, sumOf(t1));
  set(sumsAt, 2, sumOf(t2));
  set(sumsAt, 3, sumOf(t3));
  set(sumsAt, 4, sumOf(t4));
}

/** p_5 to p_8 of floats. */
export function moreFloatPowers(e: usize, n: i32): void {
  const end = e + ((<usize>((n + 3) & ~3)) << 2);
  let t1 = f64x2.splat(0);
  let t2 = f64x2.splat(0);
  let t3 = f64x2.splat(0);
  let t4 = f64x2.splat(0);
  while (e < end) {
    const to = min(e + BLOCK_F32, end);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let s4 = f32x4.splat(0);
    for (; e < to; e += 16) {
      const v = v128.load(e);
      const v2 = f32x4.mul(v, v);
      const v4 = f32x4.mul(v2, v2);
      const v6 = f32x4.mul(v4, v2);
      s1 = f32x4.add(s1, f32x4.mul(v4, v));
      s2 = f32x4.add(s2, v6);
      s3 = f32x4.add(s3, f32x4.mul(v6, v));
      s4 = f32x4.add(s4, f32x4.mul(v4, v4));
    }
    t1 = f64x2.add(t1, widened(s1));
    t2 = f64x2.add(t2, widened(s2));
    t3 = f64x2.add(t3, widened(s3));
    t4 = f64x2.add(t4, widened(s4));
  }
  set(sumsAt, 5, sumOf(t1));
  set(sumsAt, 6, sumOf(t2));
  set(sumsAt, 7, sumOf(t3));
  set(sumsAt, 8, sumOf(t4));
}
