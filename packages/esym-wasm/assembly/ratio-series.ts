/**
 * The gradient of a row's light entries as one polynomial for all of them.
 *
 * With P the coefficients and d_j = sum over l of (-e)^l P_{j-l} those without an entry e:
 *   pi^(k)            = e d_{k-1} / P_k                        = e sum_l (-e)^l P_{k-1-l} / P_k
 *   pi^(k) - pi^(k-1) = e (d_{k-1} / P_k - d_{k-2} / P_{k-1})  = e sum_l (-e)^l (P_{k-1} P_{k-1-l} - P_{k-2-l} P_k) / (P_k P_{k-1})
 * The brackets are not negative (log-concavity) and the terms fall like theta^l. They end at l = k - 1.
 */
import { get, set } from "./cells";
import { bracketsAt } from "./room";

/** Degree of {@link brackets}. */
export let degree: i32 = 0;

/**
 * Sets the coefficients of inclusionWeight pi^(k) + ratioWeight (pi^(k) - pi^(k-1)), in powers of e from e^1 on.
 *
 * @param p     coefficients to k, zeros before; of them k - 2 - terms and up are read.
 * @param unit  p belongs to unit e in place of e.
 */
export function brackets(p: usize, k: i32, terms: i32, unit: f64, inclusionWeight: f64, ratioWeight: f64): void {
  const p0 = get(p, k);
  const p1 = get(p, k - 1);
  const first = inclusionWeight / p0;
  const second = ratioWeight / (p0 * p1);
  degree = min(terms, k - 1);
  let factor = unit;
  for (let l = 0; l <= degree; l++) {
    const d1 = get(p, k - 1 - l);
    const d2 = get(p, k - 2 - l);
    set(bracketsAt, l, factor * (first * d1 + second * (p1 * d1 - d2 * p0)));
    factor = -factor * unit;
  }
}

/** Sets the polynomial weight e. */
export function linearSeries(weight: f64): void {
  degree = 0;
  set(bracketsAt, 0, weight);
}

/** out[i] = the polynomial at e[i], i < n; four vectors at a time. e is zero-padded, out is not touched from n on. */
export function evaluateDoubles(e: usize, n: i32, out: usize): void {
  const top = bracketsAt + ((<usize>degree) << 3);
  const whole = e + ((<usize>(n & ~7)) << 3);
  for (; e < whole; e += 64, out += 64) {
    const a = v128.load(e);
    const b = v128.load(e, 16);
    const c = v128.load(e, 32);
    const d = v128.load(e, 48);
    let at = top;
    let g = v128.load64_splat(at);
    let pa = f64x2.mul(g, a);
    let pb = f64x2.mul(g, b);
    let pc = f64x2.mul(g, c);
    let pd = f64x2.mul(g, d);
    while (at > bracketsAt) {
      at -= 8;
      g = v128.load64_splat(at);
      pa = f64x2.mul(f64x2.add(pa, g), a);
      pb = f64x2.mul(f64x2.add(pb, g), b);
      pc = f64x2.mul(f64x2.add(pc, g), c);
      pd = f64x2.mul(f64x2.add(pd, g), d);
    }
    v128.store(out, pa);
    v128.store(out, pb, 16);
    v128.store(out, pc, 32);
    v128.store(out, pd, 48);
  }
  for (let i = 0; i < (n & 7); i++) set(out, i, polynomialAt(get(e, i)));
}

function polynomialAt(e: f64): f64 {
  let value: f64 = 0;
  for (let l = degree; l >= 0; l--) value = (value + get(bracketsAt, l)) * e;
  return value;
}

/** The same for floats, in floats: the coefficients lie behind those of doubles, times powers of `unit` to fit. */
export function evaluateFloats(e: usize, n: i32, out: usize): void {
  const floats = bracketsAt + 512;
  for (let l = 0; l <= degree; l++) store<f32>(floats + ((<usize>l) << 2), <f32>get(bracketsAt, l));
  if (degree === 3) {
    cubicFloats(e, n, out);
    return;
  }
  const top = floats + ((<usize>degree) << 2);
  const end = e + ((<usize>n) << 2);
  const whole = e + ((<usize>(n & ~15)) << 2);
  for (; e < end; e += 64, out += 64) {
    const a = v128.load(e);
    const b = v128.load(e, 16);
    const c = v128.load(e, 32);
    const d = v128.load(e, 48);
    let at = top;
    let g = v128.load32_splat(at);
    let pa = f32x4.mul(g, a);
    let pb = f32x4.mul(g, b);
    let pc = f32x4.mul(g, c);
    let pd = f32x4.mul(g, d);
    while (at > floats) {
      at -= 4;
      g = v128.load32_splat(at);
      pa = f32x4.mul(f32x4.add(pa, g), a);
      pb = f32x4.mul(f32x4.add(pb, g), b);
      pc = f32x4.mul(f32x4.add(pc, g), c);
      pd = f32x4.mul(f32x4.add(pd, g), d);
    }
    const to = e < whole ? out : e;
    v128.store(to, pa);
    v128.store(to, pb, 16);
    v128.store(to, pc, 32);
    v128.store(to, pd, 48);
    if (e >= whole) memory.copy(out, e, (<usize>(n & 15)) << 2);
  }
}

/** Degree 3 with its coefficients in registers: what k = 5 and small probabilities need. */
function cubicFloats(e: usize, n: i32, out: usize): void {
  const floats = bracketsAt + 512;
  const g0 = v128.load32_splat(floats);
  const g1 = v128.load32_splat(floats, 4);
  const g2 = v128.load32_splat(floats, 8);
  const g3 = v128.load32_splat(floats, 12);
  const whole = e + ((<usize>(n & ~3)) << 2);
  for (; e < whole; e += 16, out += 16) {
    const a = v128.load(e);
    const p = f32x4.mul(f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(g3, a), g2), a), g1), a), g0), a);
    v128.store(out, p);
  }
  if (n & 3) {
    const a = v128.load(e);
    v128.store(
      e,
      f32x4.mul(f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(g3, a), g2), a), g1), a), g0), a),
    );
    memory.copy(out, e, (<usize>(n & 3)) << 2);
  }
}
