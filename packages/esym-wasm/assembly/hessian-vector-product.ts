/**
 * The Hessian of log sigma_k times a vector, as in packages/esym: beside each polynomial P runs the one weighted by v,
 * N(X) = sum over subsets of (sum of v) (prod of e) X^size, v in [0, 1]. With d, n the pair without entry i and S = N_k / P_k:
 *   (H v)_i = pi_i (v_i + n_{k-1} / d_{k-1} - S) = (1 - pi_i) (S - n_k / d_k),
 * the first for pi_i <= 1/2. Light entries by division, heavy ones by halving; long products as a tree of runs, so that errors
 * grow with its depth.
 */
import { exponentOf, get, getIndex, getPair, powerOfTwo, set, setPair } from "./cells";
import { gather, group } from "./heavy-row";
import { copyDoubles, widenFloats } from "./incoming-row";
import { rescale, scaleBy } from "./products";
import {
  constantAt,
  eAt,
  fullAt,
  fullLoAt,
  halvesAt,
  indexAt,
  linearAt,
  PADDING,
  resultAt,
  rowAt,
  stackAt,
  weightsAt,
} from "./room";

let order: i32 = 0;
/** Bytes of one polynomial with its padding; N stands one width behind P. */
let width: usize = 0;
let range: f64 = 0;
let mean: f64 = 0;
let sigma: f64 = 0;
let fullExponent: i32 = 0;
let outAt: usize = 0;

/** P, N = (P, N) (a + b X) for an entry of weight v. */
function multiplyPair(p: usize, weighted: usize, a: f64, b: f64, v: f64): void {
  const va = f64x2.splat(a);
  const vb = f64x2.splat(b);
  const vv = f64x2.splat(v);
  for (let j = order - 1; j >= -1; j -= 2) {
    const below = getPair(p, j - 1);
    const inside = f64x2.mul(vb, f64x2.add(getPair(weighted, j - 1), f64x2.mul(vv, below)));
    setPair(weighted, j, f64x2.add(f64x2.mul(va, getPair(weighted, j)), inside));
    setPair(p, j, f64x2.add(f64x2.mul(va, getPair(p, j)), f64x2.mul(vb, below)));
  }
}

/** The group's factors from <= g < to; returns the exponent taken out. */
function multiplyGroup(p: usize, weighted: usize, from: i32, to: i32): i32 {
  let exponent = 0;
  for (let g = from; g < to; g++) {
    const v = get(weightsAt, getIndex(indexAt, g));
    multiplyPair(p, weighted, get(constantAt, g), get(linearAt, g), v);
    if ((g & 127) === 127) exponent += rescale(p, weighted, order);
  }
  return exponent + rescale(p, weighted, order);
}

/** a = a b for pairs: P = P_a P_b, N = N_a P_b + P_a N_b. */
function multiplyPairs(a: usize, b: usize): void {
  for (let j = order; j >= 0; j--) {
    let plain: f64 = 0;
    let weighted: f64 = 0;
    for (let l = 0; l <= j; l++) {
      const pa = get(a, l);
      const pb = get(b, j - l);
      plain += pa * pb;
      weighted += get(a + width, l) * pb + pa * get(b + width, j - l);
    }
    set(a, j, plain);
    set(a + width, j, weighted);
  }
}

function clearPair(p: usize): void {
  memory.fill(p - ((<usize>PADDING) << 3), 0, 2 * width);
  set(p, 0, 1);
}

/** The pair of all light entries to the first place of the halves; returns its exponent. */
function lightPair(n: i32): i32 {
  const first = halvesAt + ((<usize>PADDING) << 3);
  const levels = stackAt;
  const exponents = stackAt + 256;
  const run = min(512, max(64, 2 * order));
  let top = 0;
  for (let from = 0; from < n; from += run) {
    const p = first + <usize>top * 2 * width;
    clearPair(p);
    for (let i = from; i < min(from + run, n); i++) {
      if (get(eAt, i) > 0) multiplyPair(p, p + width, 1, get(eAt, i), get(weightsAt, i));
    }
    store<i32>(exponents + ((<usize>top) << 2), rescale(p, p + width, order));
    store<i32>(levels + ((<usize>top) << 2), 0);
    top++;
    while (top > 1) {
      const below = (<usize>(top - 2)) << 2;
      const above = (<usize>(top - 1)) << 2;
      if (load<i32>(levels + below) !== load<i32>(levels + above) && from + run < n) break;
      const a = first + <usize>(top - 2) * 2 * width;
      multiplyPairs(a, a + 2 * width);
      const scaled = rescale(a, a + width, order);
      store<i32>(exponents + below, load<i32>(exponents + below) + load<i32>(exponents + above) + scaled);
      store<i32>(levels + below, load<i32>(levels + below) + 1);
      top--;
    }
  }
  return load<i32>(exponents);
}

/** Maps the weights of entries that are there to [0, 1]; `range` is the length of theirs over 4, so that it does not overflow. */
function toUnitInterval(n: i32): void {
  let low: f64 = Infinity;
  let high: f64 = -Infinity;
  for (let i = 0; i < n; i++) {
    if (get(rowAt, i) === -Infinity) continue;
    low = min(low, get(weightsAt, i));
    high = max(high, get(weightsAt, i));
  }
  range = high * 0.25 - low * 0.25;
  for (let i = 0; i < n; i++) {
    const there = get(rowAt, i) > -Infinity && range > 0;
    set(weightsAt, i, there ? (get(weightsAt, i) * 0.25 - low * 0.25) / range : 0);
  }
  if (!(range > 0)) range = 0;
}

/** 4 range value, where only the product has to be in the range of doubles. */
// @ts-ignore: decorator
@inline
function scaled(value: f64): f64 {
  return 4 * (range * value);
}

/** out[i] of light entries, by division of both polynomials; two entries at a time. */
function divide(n: i32): void {
  for (let i = 0; i < n; i += 2) {
    const e = getPair(eAt, i);
    const v = getPair(weightsAt, i);
    let d = f64x2.splat(get(fullAt, 0));
    let weighted = f64x2.splat(get(fullLoAt, 0));
    for (let j = 1; j < order; j++) {
      const inside = f64x2.mul(e, f64x2.add(weighted, f64x2.mul(v, d)));
      weighted = f64x2.sub(f64x2.splat(get(fullLoAt, j)), inside);
      d = f64x2.sub(f64x2.splat(get(fullAt, j)), f64x2.mul(e, d));
    }
    const pi = f64x2.div(f64x2.mul(e, d), f64x2.splat(sigma));
    const value = f64x2.mul(pi, f64x2.add(v, f64x2.sub(f64x2.div(weighted, d), f64x2.splat(mean))));
    if (get(eAt, i) > 0) set(outAt, i, scaled(f64x2.extract_lane(value, 0)));
    if (i + 1 < n && get(eAt, i + 1) > 0) set(outAt, i + 1, scaled(f64x2.extract_lane(value, 1)));
  }
}

function halve(from: i32, to: i32, at: usize, exponent: i32): void {
  if (to - from <= 1) {
    if (to > from) visit(from, at, exponent);
    return;
  }
  const middle = (from + to) >> 1;
  const below = at + 2 * width;
  const padding = (<usize>PADDING) << 3;
  memory.copy(below - padding, at - padding, 2 * width);
  halve(from, middle, below, exponent + multiplyGroup(below, below + width, middle, to));
  memory.copy(below - padding, at - padding, 2 * width);
  halve(middle, to, below, exponent + multiplyGroup(below, below + width, from, middle));
}

function visit(g: i32, at: usize, exponent: i32): void {
  const k = order;
  const weighted = at + width;
  const scale = powerOfTwo(exponent - fullExponent) / sigma;
  const inside = get(linearAt, g) * get(at, k - 1) * scale;
  const outside = get(constantAt, g) * get(at, k) * scale;
  const i = getIndex(indexAt, g);
  let value: f64 = 0;
  if (inside <= outside) {
    value = inside === 0 ? 0 : inside * (get(weightsAt, i) + get(weighted, k - 1) / get(at, k - 1) - mean);
  } else if (outside > 0) {
    value = outside * (mean - get(weighted, k) / get(at, k));
  }
  set(outAt, i, scaled(value));
}

/** The row at rowAt with weights at weightsAt, to `out` in doubles; false where sigma_k = 0. */
function hvpOfRow(n: i32, k: i32, out: usize): bool {
  order = k;
  outAt = out;
  width = (<usize>((k + 1 + PADDING + 3) & ~3)) << 3;
  toUnitInterval(n);
  memory.fill(out, 0, (<usize>n) << 3);
  if (!gather(n, k, false, true)) return false;
  const first = halvesAt + ((<usize>PADDING) << 3);
  const bytes = (<usize>(k + 1)) << 3;
  const baseExponent = lightPair(n);
  memory.copy(fullAt, first, bytes);
  memory.copy(fullLoAt, first + width, bytes);
  fullExponent = baseExponent + multiplyGroup(fullAt, fullLoAt, 0, group);
  const exponent = exponentOf(get(fullAt, k));
  scaleBy(fullAt, k, powerOfTwo(-exponent));
  scaleBy(fullLoAt, k, powerOfTwo(-exponent));
  fullExponent += exponent;
  sigma = get(fullAt, k);
  mean = get(fullLoAt, k) / sigma;
  divide(n);
  halve(0, group, first, baseExponent);
  return true;
}

/**
 * For rows from <= b < to of x and v, in doubles; order k >= 1. NaN throughout a row with sigma_k = 0.
 *
 * @returns the first row of x that holds NaN or +Infinity, or -1.
 */
export function hvpRows(x: usize, floats: bool, v: usize, n: i32, k: i32, from: i32, to: i32, out: usize): i32 {
  const bytes: usize = (<usize>n) << (floats ? 2 : 3);
  for (let b = from; b < to; b++) {
    const row = x + <usize>b * bytes;
    if (!(floats ? widenFloats(row, n, -1, rowAt) : copyDoubles(row, n, -1, rowAt))) return b;
    const weights = v + <usize>b * bytes;
    for (let i = 0; i < n; i++) {
      set(weightsAt, i, floats ? <f64>load<f32>(weights + ((<usize>i) << 2)) : get(weights, i));
    }
    for (let i = n; i < n + 4; i++) set(weightsAt, i, 0);
    const place = floats ? resultAt : out + <usize>b * bytes;
    const there = hvpOfRow(n, k, place);
    const result = out + <usize>b * bytes;
    for (let i = 0; i < n; i++) {
      if (floats) store<f32>(result + ((<usize>i) << 2), there ? <f32>get(place, i) : NaN);
      else if (!there) set(result, i, NaN);
    }
  }
  return -1;
}

