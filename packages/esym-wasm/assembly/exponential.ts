/**
 * Exponentials exp((x - c) / T) for x <= c, two doubles or four floats at once.
 *
 * As in packages/esym: x - c is reduced by a multiple m of T ln 2 whose leading bits times m are exact, before it is divided
 * by T, so the error does not grow with |x - c| / T. No table, because a vector has no gather: what is left,
 * |r| <= ln 2 / 2, goes into 1 + r + r^2 q(r), q of degree 9 (4 for floats), interpolated at Chebyshev's points. Relative
 * error of that alone 0.15 u (0.2 u for floats); of the whole below 2.7 u: r errs by 3 u |r|, r^2 q(r) and the last sum round.
 *
 * Floats are held to less: y = (x - c) / (T ln 2) is rounded three times, then 2^y = 2^m 2^r, |r| <= 1/2, by a polynomial of
 * degree 5 that errs by 2.7 u. Relative error below (3 |x - c| / T + 5) u, u = 2^-24. Weighted by the results themselves, as
 * in a sum of n of them, |x - c| / T averages ln n at most.
 */
import { get } from "./cells";

/**
 * 1.5 2^52 + 1023 and 1.5 2^23 + 127: adding one rounds to an integer m, and the lowest bits of the sum are those of m plus
 * the bias of an exponent.
 */
const ROUND: f64 = 6755399441056767;
const ROUND_F32: f32 = 12583039;

/** What t / (T ln 2) has to exceed for a result in the normal range; below it, 0. */
const LOWEST: f64 = -1021.5;
const LOWEST_F32: f32 = -125.5;

/** 1 / (T ln 2), T ln 2 as a part of 36 bits and the rest, 1 / T. */
export let steps: f64 = 0;
export let stepHi: f64 = 0;
export let stepLo: f64 = 0;
export let inverse: f64 = 0;

/** Sets the temperature, from the numbers that packages/esym prepares for it. */
export function setTemperature(perStep: f64, hi: f64, lo: f64, inverseTemperature: f64): void {
  steps = perStep;
  stepHi = hi;
  stepLo = lo;
  inverse = inverseTemperature;
}

/** Whether floats can hold 1 / (T ln 2) and T ln 2 / 2^30: outside, rows of floats are computed as doubles. */
export function temperatureFitsFloats(): bool {
  return stepHi > 1e-25 && stepHi < 1e25;
}

/** exp((x - c) / T) of two doubles x <= c; 0 for -Infinity. The splat arguments are the module's, in locals. */
// @ts-ignore: decorator
@inline
export function expPair(x: v128, c: v128, perStep: v128, hi: v128, lo: v128, inv: v128): v128 {
  const t = f64x2.sub(x, c);
  // t is rounded; what it lost, as in TwoSum
  const back = f64x2.sub(t, x);
  const lost = f64x2.sub(f64x2.sub(x, f64x2.sub(t, back)), f64x2.add(c, back));
  const y = f64x2.mul(t, perStep);
  const shifted = f64x2.add(y, f64x2.splat(ROUND));
  const m = f64x2.sub(shifted, f64x2.splat(ROUND));
  const r = f64x2.mul(
    f64x2.sub(f64x2.sub(t, f64x2.mul(m, hi)), f64x2.sub(f64x2.mul(m, lo), lost)),
    inv,
  );
  let q = f64x2.splat(2.5100494788905042e-8);
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(2.76202305675069e-7));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(2.7557268229963227e-6));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(2.4801520996825697e-5));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.00019841269863201828));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.0013888888917406447));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.008333333333330032));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.04166666666662374));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.16666666666666669));
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.5));
  const p = f64x2.add(f64x2.splat(1), f64x2.add(r, f64x2.mul(f64x2.mul(r, r), q)));
  // 2^m: m + 1023 moved to where the exponent stands
  const power = i64x2.shl(shifted, 52);
  return v128.and(f64x2.mul(p, power), f64x2.gt(y, f64x2.splat(LOWEST)));
}

/** exp((x - c) / T) of four floats x <= c; 0 for -Infinity. */
// @ts-ignore: decorator
@inline
export function expQuad(x: v128, c: v128, perStep: v128): v128 {
  const y = f32x4.mul(f32x4.sub(x, c), perStep);
  const shifted = f32x4.add(y, f32x4.splat(ROUND_F32));
  const r = f32x4.sub(y, f32x4.sub(shifted, f32x4.splat(ROUND_F32)));
  let p = f32x4.splat(0.0013390978565439582);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.009676148183643818));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.055503569543361664));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.2402210533618927));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.6931471824645996));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0000001192092896));
  return v128.and(f32x4.mul(p, i32x4.shl(shifted, 23)), f32x4.gt(y, f32x4.splat(LOWEST_F32)));
}

/** out[i] = exp((x[i] - c) / T) for i < n, n a multiple of 2, where every x[i] <= c. */
export function expBelow(x: usize, n: i32, c: f64, out: usize): void {
  const centre = f64x2.splat(c);
  const perStep = f64x2.splat(steps);
  const hi = f64x2.splat(stepHi);
  const lo = f64x2.splat(stepLo);
  const inv = f64x2.splat(inverse);
  const end = x + ((<usize>n) << 3);
  for (; x < end; x += 16, out += 16) v128.store(out, expPair(v128.load(x), centre, perStep, hi, lo, inv));
}

/** exp((x - c) / T) of one x <= c. */
export function expBelowOne(x: f64, c: f64): f64 {
  const e = expPair(
    f64x2.splat(x),
    f64x2.splat(c),
    f64x2.splat(steps),
    f64x2.splat(stepHi),
    f64x2.splat(stepLo),
    f64x2.splat(inverse),
  );
  return f64x2.extract_lane(e, 0);
}

/** exp(-|values[g] - c| / T), for an entry on either side of the centre. */
export function expBeside(values: usize, g: i32, c: f64): f64 {
  const value = get(values, g);
  return value > c ? expBelowOne(c, value) : expBelowOne(value, c);
}
