/**
 * Derivatives of log sigma_k and of log sigma_k - log sigma_{k-1} for a factorised row, by leave-one-out polynomials
 * d(X) = prod over j != i of (a_j + b_j X), as in packages/esym:
 *   pi_i^(k)              = b d_{k-1} / P_k
 *   pi_i^(k) - pi_i^(k-1) = a b (d_{k-1}^2 - d_{k-2} d_k) / (P_k P_{k-1})
 *
 * Light entries: one polynomial for all (ratio-series.ts) where their product came from power sums, else division,
 * d_j = P_j - e_i d_{j-1}, stable up to inclusion probabilities of 1/4. Heavy entries: division where it is stable, else
 * halving: the product of everything outside a half of the group is handed down.
 */
import { get, getIndex, getPair, powerOfTwo, set, setIndex } from "./cells";
import { baseExponent, fullExponent, group, powers, theta } from "./heavy-row";
import { EXACT_BELOW } from "./light-row";
import { multiplyFactors } from "./products";
import { brackets, evaluateDoubles } from "./ratio-series";
import { baseAt, constantAt, fullAt, halvesAt, indexAt, linearAt, PADDING, rowAt } from "./room";
import { inclusionWeight, ratioWeight } from "./row-weight";

let first: f64 = 0;
let second: f64 = 0;
let order: i32 = 0;
let outAt: usize = 0;

/** out[i] = inclusionWeight pi_i^(k) + ratioWeight (pi_i^(k) - pi_i^(k-1)); out may be e. Uses the group up. */
export function leaveOneOut(e: usize, n: i32, k: i32, out: usize): void {
  first = inclusionWeight / get(fullAt, k);
  second = ratioWeight / get(fullAt, k) / get(fullAt, k - 1);
  order = k;
  outAt = out;
  if (powers > 0) {
    brackets(fullAt, k, termsOf(), 1, inclusionWeight, ratioWeight);
    evaluateDoubles(e, n, out);
  } else {
    divide(e, n, out);
  }
  const kept = divideSmall();
  const width = rowWidth(k);
  const rows = halvesAt + ((<usize>PADDING) << 3);
  memory.fill(halvesAt, 0, (<usize>PADDING) << 3);
  memory.copy(rows, baseAt, (<usize>(k + 1)) << 3);
  halve(0, kept, rows, width, smallExponent);
}

/** Terms of the series beyond the first: what is left out is below theta^powers of it. */
function termsOf(): i32 {
  return theta < 0.01 ? powers : powers + 2;
}

// @ts-ignore: decorator
@inline
function rowWidth(k: i32): usize {
  return (<usize>((k + 1 + PADDING + 3) & ~3)) << 3;
}

/** Exponent of the base once the small factors are multiplied in. */
let smallExponent: i32 = 0;

/** Divides out what of the group may be divided out, multiplies it into the base; the rest moves to the front. */
function divideSmall(): i32 {
  const k = order;
  const bound = EXACT_BELOW * (get(fullAt, k) / get(fullAt, k - 1));
  smallExponent = baseExponent;
  let kept = 0;
  let small = 0;
  // The row has been used up: its room holds the e of these entries.
  for (let g = 0; g < group; g++) {
    const a = get(constantAt, g);
    const b = get(linearAt, g);
    if (b <= bound * a) {
      set(rowAt, small++, b / a);
      smallExponent += multiplyFactors(baseAt, k, constantAt, linearAt, g, g + 1);
    }
  }
  if (small > 0) {
    for (let i = small; i < ((small + 3) & ~3); i++) set(rowAt, i, 0);
    divide(rowAt, small, rowAt);
  }
  small = 0;
  for (let g = 0; g < group; g++) {
    const a = get(constantAt, g);
    const b = get(linearAt, g);
    const i = getIndex(indexAt, g);
    if (b <= bound * a) {
      set(outAt, i, get(rowAt, small++));
    } else {
      setIndex(indexAt, kept, i);
      set(constantAt, kept, a);
      set(linearAt, kept++, b);
    }
  }
  return kept;
}

/** Entries e[0..n) by division, four at a time; e is zero-padded. out may be e. */
function divide(e: usize, n: i32, out: usize): void {
  const k = order;
  const p1 = f64x2.splat(get(fullAt, k - 1));
  const p0 = f64x2.splat(get(fullAt, k));
  const w1 = f64x2.splat(first);
  const w2 = f64x2.splat(second);
  for (let i = 0; i < n; i += 4) {
    const ea = getPair(e, i);
    const eb = getPair(e, i + 2);
    let a2 = f64x2.splat(0);
    let b2 = f64x2.splat(0);
    const end = fullAt + ((<usize>(k - 1)) << 3);
    for (let at = fullAt; at < end; at += 8) {
      const p = v128.load64_splat(at);
      a2 = f64x2.sub(p, f64x2.mul(ea, a2));
      b2 = f64x2.sub(p, f64x2.mul(eb, b2));
    }
    const a1 = f64x2.sub(p1, f64x2.mul(ea, a2));
    const b1 = f64x2.sub(p1, f64x2.mul(eb, b2));
    const a0 = f64x2.sub(p0, f64x2.mul(ea, a1));
    const b0 = f64x2.sub(p0, f64x2.mul(eb, b1));
    const ra = gradient(ea, w1, w2, a2, a1, a0);
    const rb = gradient(eb, w1, w2, b2, b1, b0);
    if (i + 4 <= n) {
      v128.store(out + ((<usize>i) << 3), ra);
      v128.store(out + ((<usize>i) << 3), rb, 16);
    } else {
      set(out, i, f64x2.extract_lane(ra, 0));
      if (i + 1 < n) set(out, i + 1, f64x2.extract_lane(ra, 1));
      if (i + 2 < n) set(out, i + 2, f64x2.extract_lane(rb, 0));
    }
  }
}

/** e (w1 d_{k-1} + w2 (d_{k-1}^2 - d_{k-2} d_k)). */
// @ts-ignore: decorator
@inline
function gradient(e: v128, w1: v128, w2: v128, d2: v128, d1: v128, d0: v128): v128 {
  const bracket = f64x2.sub(f64x2.mul(d1, d1), f64x2.mul(d2, d0));
  return f64x2.mul(e, f64x2.add(f64x2.mul(w1, d1), f64x2.mul(w2, bracket)));
}

/** Visits every factor from <= g < to, with the product of all others at `at` times 2^exponent. */
function halve(from: i32, to: i32, at: usize, width: usize, exponent: i32): void {
  if (to - from <= 1) {
    if (to > from) visit(from, at, exponent);
    return;
  }
  const middle = (from + to) >> 1;
  const below = at + width;
  const padding = (<usize>PADDING) << 3;
  memory.copy(below - padding, at - padding, width);
  halve(from, middle, below, width, exponent + multiplyFactors(below, order, constantAt, linearAt, middle, to));
  memory.copy(below - padding, at - padding, width);
  halve(middle, to, below, width, exponent + multiplyFactors(below, order, constantAt, linearAt, from, middle));
}

function visit(g: i32, at: usize, exponent: i32): void {
  const k = order;
  const scale = powerOfTwo(exponent - fullExponent);
  const d2 = k > 1 ? scale * get(at, k - 2) : 0;
  const d1 = scale * get(at, k - 1);
  const d0 = scale * get(at, k);
  const bracket = d1 * d1 - d2 * d0;
  set(outAt, getIndex(indexAt, g), get(linearAt, g) * (first * d1 + second * get(constantAt, g) * bracket));
}
