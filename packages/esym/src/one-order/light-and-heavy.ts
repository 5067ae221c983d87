/**
 * One row by light and heavy entries, at a cost that hardly depends on k.
 *
 * Entries of small inclusion probability are light: their product comes from a few power sums (newton-identities.ts), and all
 * of them get their derivative from one short polynomial per row. The others are heavy and multiplied one by one
 * (heavy-product.ts). docs/algorithm.md, section 11.
 */
import { type ExponentialScale, expBelow, expBelowOne } from "../numbers/exponential.ts";
import { coefficient, multiplyPrecisely, preciseCoefficient, prefixRoom, withoutEach } from "./heavy-product.ts";
import { boundBelowSelected, chooseSplit, MOST_HEAVY, type RowSplit, splitRoom } from "./light-split.ts";
import { newtonIdentities } from "./newton-identities.ts";
import { MOST_POWERS, plainSum, polynomialOfEach, type PowerSums, powerSums, powerSumsRoom } from "./power-sums.ts";

export interface LightAndHeavy {
  readonly n: number;
  readonly k: number;
  readonly split: RowSplit;
  /** e_i of the light entries about the centre, 0 for the others; padded with zeros to a multiple of 4. */
  readonly e: Float64Array;
  readonly sums: PowerSums;
  /** X is in units of 1 / unit, a power of two near S / k. */
  unit: number;
  /** Heavy entry g is index[g], its factor constant[g] + linear[g] X. */
  heavy: number;
  index: Int32Array;
  constant: Float64Array;
  linear: Float64Array;
  /** Product of the light factors, degrees 0 to k, and of the heavy ones. */
  readonly light: Float64Array;
  readonly lightRest: Float64Array;
  product: Float64Array;
  productRest: Float64Array;
  /** Coefficient k - l of the whole product at index l. */
  readonly top: Float64Array;
  readonly topRest: Float64Array;
  readonly polynomial: Float64Array;
  prefix: Float64Array;
  without: Float64Array;
}

/** A workspace for rows of n entries at order k. */
export function lightAndHeavy(n: number, k: number): LightAndHeavy {
  return {
    n,
    k,
    split: splitRoom(),
    e: new Float64Array((n + 3) & ~3),
    sums: powerSumsRoom(),
    unit: 1,
    heavy: 0,
    index: new Int32Array(0),
    constant: new Float64Array(0),
    linear: new Float64Array(0),
    light: new Float64Array(k + 1),
    lightRest: new Float64Array(k + 1),
    product: new Float64Array(0),
    productRest: new Float64Array(0),
    top: new Float64Array(MOST_POWERS + 3),
    topRest: new Float64Array(MOST_POWERS + 3),
    polynomial: new Float64Array(MOST_POWERS + 1),
    prefix: new Float64Array(0),
    without: new Float64Array(0),
  };
}

function growHeavy(work: LightAndHeavy, count: number): void {
  if (work.index.length >= count) return;
  const room = Math.min(work.n, Math.max(2 * work.index.length, count, 16));
  const { index, linear } = work;
  work.index = new Int32Array(room);
  work.index.set(index);
  work.linear = new Float64Array(room);
  work.linear.set(linear);
  work.constant = new Float64Array(room);
  work.product = new Float64Array(room + 1);
  work.productRest = new Float64Array(room + 1);
  work.without = new Float64Array(3 * room);
}

/** Moves the entries that the split has selected to the heavy ones, as log-values. */
function moveSelected(work: LightAndHeavy, x: Float64Array): number {
  const { selected, indices, values } = work.split;
  for (let g = 0; g < selected; g++) {
    work.index[g] = indices[g];
    work.linear[g] = values[g];
    x[indices[g]] = -Infinity;
  }
  return selected;
}

function moveAbove(work: LightAndHeavy, x: Float64Array, cut: number): number {
  const { n, index, linear } = work;
  let heavy = 0;
  for (let i = 0; i < n; i++) {
    const v = x[i];
    if (v > cut) {
      index[heavy] = i;
      linear[heavy++] = v;
      x[i] = -Infinity;
    }
  }
  return heavy;
}

/** Moves the entries with e_i > bound, as log-values. */
function gather(work: LightAndHeavy, x: Float64Array, bound: number, from: number): number {
  const { n, e } = work;
  let heavy = from;
  for (let i = 0; i < n; i++) {
    if (e[i] > bound) {
      growHeavy(work, heavy + 1);
      work.index[heavy] = i;
      work.linear[heavy++] = x[i];
      x[i] = -Infinity;
      e[i] = 0;
    }
  }
  return heavy;
}

function restore(work: LightAndHeavy, x: Float64Array, heavy: number): false {
  for (let g = 0; g < heavy; g++) x[work.index[g]] = work.linear[g];
  return false;
}

/**
 * The whole product's coefficients k and below of one row: sigma_k / sigma_{k-1} = unit top[0] / top[1].
 *
 * @param x  the row, -Infinity where an entry is removed; its heavy entries are overwritten where it returns true.
 * @returns false where products are the better or the only way; x is then untouched.
 */
export function factoriseLightAndHeavy(
  work: LightAndHeavy,
  x: Float64Array,
  k: number,
  scale: ExponentialScale,
): boolean {
  const { n, split, e, sums, light, lightRest, top, topRest } = work;
  if (!chooseSplit(split, x, n, k, scale)) return false;
  const { centre } = split;
  let heavy = 0;
  if (split.heavy > 0) {
    growHeavy(work, split.heavy);
    heavy = split.selected > 0 ? moveSelected(work, x) : moveAbove(work, x, split.cut);
  }
  expBelow(x, n, centre, scale, e);
  if (split.selected > 0) {
    const bound = boundBelowSelected(split, k, plainSum(e, n));
    if (bound < 1) heavy = gather(work, x, bound, heavy);
    if (heavy > MOST_HEAVY) return restore(work, x, heavy);
  }
  work.heavy = heavy;
  const { count } = split;
  powerSums(e, n, count, sums);

  const unit = 2 ** Math.floor(Math.log2((split.mass < 0 ? sums.sum[1] - (k - 1) : split.mass) / k));
  work.unit = unit;
  const inverse = 1 / unit;
  let power = inverse;
  sums.rest *= inverse;
  for (let m = 1; m <= count; m++) {
    sums.sum[m] *= power;
    power *= inverse;
  }
  newtonIdentities(sums.sum, sums.rest, count, k, light, lightRest);

  const depth = Math.min(k, count + 1);
  if (heavy === 0) {
    for (let l = 0; l <= depth; l++) {
      top[l] = light[k - l];
      topRest[l] = lightRest[k - l];
    }
  } else {
    const { constant, linear } = work;
    for (let g = 0; g < heavy; g++) {
      const v = linear[g];
      const scaled = expBelowOne(v, centre, scale) * inverse;
      const above = scaled > 1;
      constant[g] = above ? expBelowOne(centre, v, scale) * unit : 1;
      linear[g] = above ? 1 : scaled;
    }
    const { product, productRest } = work;
    product.fill(0, 0, heavy + 1);
    product[0] = 1;
    productRest[0] = 0;
    multiplyPrecisely(constant, linear, heavy, 0, Math.min(heavy, k), product, productRest);
    for (let l = 0; l <= depth; l++) {
      if (l <= 2) preciseCoefficient(work.product, work.productRest, heavy, light, lightRest, k - l, top, topRest, l);
      else {
        top[l] = coefficient(work.product, heavy, light, k - l);
        topRest[l] = 0;
      }
    }
  }
  for (let l = depth + 1; l <= count + 1; l++) {
    top[l] = 0;
    topRest[l] = 0;
  }
  return true;
}

/**
 * out[offset + i] = inclusionWeight pi_i^(k) + ratioWeight (pi_i^(k) - pi_i^(k-1)) of the row last factorised, 0 for removed
 * entries. The workspace is used up by it.
 *
 * With P the whole product and d = P / (1 + e X), d_(j-1) = sum_l (-e)^l P_(j-1-l):
 *   pi^(k) = e d_(k-1) / P_k,   pi^(k) - pi^(k-1) = e sum_l (-e)^l (P_(k-1) P_(k-1-l) - P_(k-2-l) P_k) / (P_k P_(k-1)).
 */
export function lightAndHeavyGradient(
  work: LightAndHeavy,
  k: number,
  inclusionWeight: number,
  ratioWeight: number,
  out: Float64Array,
  offset: number,
): void {
  const { n, e, split, sums, heavy, top, topRest, polynomial, unit, light } = work;
  const { count } = split;
  const p0 = top[0];
  const p1 = top[1];
  const inclusion = inclusionWeight / p0;
  const ratio = ratioWeight / p0 / p1;
  let power = 1 / unit;
  for (let l = 0; l < count; l++) {
    const bracket = l === 0 ? leadingBracket(top, topRest) : p1 * top[l + 1] - top[l + 2] * p0;
    polynomial[l] = power * (inclusion * top[l + 1] + ratio * bracket);
    power *= -1 / unit;
  }
  polynomialOfEach(e, n, polynomial, count, sums.block, out, offset);
  if (heavy === 0) return;
  const { index, constant, linear } = work;
  const room = prefixRoom(heavy, k);
  if (work.prefix.length < room) work.prefix = new Float64Array(room);
  const { without } = work;
  withoutEach(constant, linear, heavy, k, light, work.prefix, without);
  for (let g = 0; g < heavy; g++) {
    const d0 = without[3 * g];
    const d1 = without[3 * g + 1];
    const d2 = without[3 * g + 2];
    out[offset + index[g]] = linear[g] * (inclusion * d1 + ratio * constant[g] * (d1 * d1 - d2 * d0));
  }
}

/** P_(k-1)^2 - P_(k-2) P_k, to the last digits: the difference is k times smaller than the products. */
function leadingBracket(top: Float64Array, rest: Float64Array): number {
  const split = 134217729;
  const a = top[0];
  const b = top[1];
  const c = top[2];
  let t = split * a;
  const ah = t - (t - a);
  const al = a - ah;
  t = split * b;
  const bh = t - (t - b);
  const bl = b - bh;
  t = split * c;
  const ch = t - (t - c);
  const cl = c - ch;
  const square = b * b;
  const squareRest = bl * bl - (square - bh * bh - 2 * (bl * bh));
  const product = a * c;
  const productRest = al * cl - (product - ah * ch - al * ch - ah * cl);
  return square - product + (squareRest - productRest + (2 * b * rest[1] - (a * rest[2] + c * rest[0])));
}
