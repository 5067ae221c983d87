/**
 * The scaled linear form of one row: prod_i (1 + e_i X) about a centre c, e_i = exp((x_i - c) / T).
 *
 * Entries above the centre become (r_i + X) with r_i = 1 / e_i, so every number is at most 1. The k-th largest entry
 * is the centre: coefficients k and k - 1 are then at least 1 and whatever underflows is negligible beside them
 * (sigma_{k-1} <= k sigma_k). Where C(n, k) may pass 2^400, the centre is moved ("tilted") so that
 * the Poisson-binomial distribution of probabilities e_i / (1 + e_i) has mean k - 1/2: the wanted coefficients are
 * then at its peak. docs/algorithm.md, sections 2 and 3.
 *
 * The largest entries form a group that is kept out of the long product: their leave-one-out polynomials are
 * computed without any division (leave-one-out.ts).
 */
import { expBelow, expBelowOne, type ExponentialScale } from "../numbers/exponential.ts";
import { selectLargest } from "../numbers/selection.ts";
import { multiplyPrecisely } from "./heavy-product.ts";
import { multiplyFactors, productStack, type ProductStack, truncatedProduct } from "./truncated-product.ts";

/**
 * k (1 + ln(n / k)) >= ln C(n, k) above this calls for a tilted centre. Below it no coefficient passes 2^400 and products
 * are never rescaled: about the k-th largest entry a rescaled product of truncated polynomials would underflow,
 * because the largest coefficients of its factors meet beyond degree k.
 */
const LARGEST_LOG_BINOMIAL = 270;

/** Inclusion probability up to which the leave-one-out recurrence may be used: it doubles an error at most. */
const STABLE_INCLUSION = 1 / 4;

/** The workspace of one row at a time, and what {@link factorise} leaves in it. */
export interface CentredRow {
  readonly n: number;
  /** The order, at most that which the workspace was made for. */
  k: number;
  /** e_i of the entries outside the group, 0 for the others; zero-padded to a multiple of 4. */
  readonly e: Float64Array;
  centre: number;
  /** Number of entries in the group; group entry g is index[g], its factor constant[g] + linear[g] X. */
  group: number;
  readonly values: Float64Array;
  readonly index: Int32Array;
  readonly constant: Float64Array;
  readonly linear: Float64Array;
  /** base 2^baseExponent = product of the factors outside the group, degrees 0 to k. */
  readonly base: Float64Array;
  baseExponent: number;
  /** full 2^fullExponent = product of all factors. */
  readonly full: Float64Array;
  fullExponent: number;
  /** What full lacks by rounding, where it was found precisely. */
  fullRest: Float64Array;
  readonly stack: ProductStack;
  /** Room for the products of halving; grows to the largest group that a row has had. */
  halving: Float64Array;
  /** Room for the last, incomplete quad of a row. */
  readonly lastQuad: Float64Array;
}

/** A workspace for rows of n entries and orders up to k: made once, used for one row after another. */
export function centredRow(n: number, k: number): CentredRow {
  // The group holds 2k entries and those, at most 5k, that turn out to have a large inclusion probability.
  const largestGroup = Math.min(n, 7 * k + 1);
  return {
    n,
    k,
    e: new Float64Array((n + 3) & ~3),
    centre: 0,
    group: 0,
    values: new Float64Array(largestGroup),
    index: new Int32Array(largestGroup),
    constant: new Float64Array(largestGroup),
    linear: new Float64Array(largestGroup),
    base: new Float64Array(k + 1),
    baseExponent: 0,
    full: new Float64Array(k + 1),
    fullExponent: 0,
    fullRest: new Float64Array(0),
    stack: productStack(k),
    halving: new Float64Array(0),
    lastQuad: new Float64Array(4),
  };
}

/**
 * Fills in the row's factors and products; returns false where fewer than k entries are left (sigma_k = 0).
 *
 * After it, the group holds every entry whose inclusion probability may exceed 1/4.
 *
 * @param x  the row, n entries, -Infinity where one is removed; overwritten.
 */
export function factorise(row: CentredRow, x: Float64Array, scale: ExponentialScale): boolean {
  const { n, k, e, values, index } = row;
  row.group = selectLargest(x, n, Math.min(2 * k, n), values, index);
  if (row.group < k) return false;
  for (let g = 0; g < row.group; g++) x[index[g]] = -Infinity;
  row.centre = values[k - 1];
  if (k * (1 + Math.log(n / k)) > LARGEST_LOG_BINOMIAL) row.centre = tiltedCentre(row, x, scale);
  expBelow(x, n, row.centre, scale, e);
  for (let g = 0; g < row.group; g++) setFactor(row, g, scale);
  multiplyAll(row);
  gatherLarge(row);
  return true;
}

function setFactor(row: CentredRow, g: number, scale: ExponentialScale): void {
  const { centre, values, constant, linear } = row;
  const above = values[g] > centre;
  constant[g] = above ? expBelowOne(centre, values[g], scale) : 1;
  linear[g] = above ? 1 : expBelowOne(values[g], centre, scale);
}

function multiplyAll(row: CentredRow): void {
  const { n, k, e, base, full, constant, linear } = row;
  row.baseExponent = truncatedProduct(e, n, k, row.stack, base);
  full.set(base);
  row.fullExponent = row.baseExponent + multiplyFactors(full, 0, k, constant, linear, 0, row.group);
  bringNearOne(row);
}

/** sigma_k itself is brought near 1: for k > n/2 the middle coefficients are far larger and must not push it out. */
function bringNearOne(row: CentredRow): void {
  const { k, full } = row;
  const exponent = Math.floor(Math.log2(full[k]));
  const factor = 2 ** -exponent;
  for (let j = 0; j <= k; j++) full[j] *= factor;
  row.fullExponent += exponent;
}

/** Finds the product of all factors anew, to twice the working precision; full is that, rounded. */
export function multiplyAllPrecisely(row: CentredRow): void {
  const { n, k, e, full, constant, linear } = row;
  if (row.fullRest.length < full.length) row.fullRest = new Float64Array(full.length);
  const { fullRest } = row;
  full.fill(0);
  full[0] = 1;
  fullRest[0] = 0;
  row.fullExponent =
    multiplyPrecisely(constant, linear, row.group, 0, k, full, fullRest) +
    multiplyPrecisely(null, e, n, Math.min(row.group, k), k, full, fullRest);
  bringNearOne(row);
}

/**
 * The e_i up to which entry i may be divided out of the full product: e_i sigma_{k-1} <= sigma_k / 4 bounds its
 * inclusion probabilities of all orders up to k by 1/4.
 */
export function stableBound(row: CentredRow): number {
  return STABLE_INCLUSION * (row.full[row.k] / row.full[row.k - 1]);
}

/**
 * Moves every entry with e_i sigma_{k-1} > sigma_k / 4 to the group. The left side bounds sigma_k times its
 * inclusion probability from above, and by no more than a factor 5/4 where it matters: at most 5k entries move.
 */
function gatherLarge(row: CentredRow): void {
  const { n, k, e, index, constant, linear } = row;
  const last = row.group - 1;
  const bound = stableBound(row);
  // The group is the top of the row in descending order: if its last entry is small, all others are.
  if (k === 0 || row.group === n || (constant[last] === 1 && linear[last] <= bound)) return;
  const before = row.group;
  for (let i = 0; i < n; i++) {
    if (e[i] > bound) {
      index[row.group] = i;
      constant[row.group] = 1;
      linear[row.group++] = e[i];
      e[i] = 0;
    }
  }
  if (row.group > before) row.baseExponent = truncatedProduct(e, n, k, row.stack, row.base);
}

/**
 * A centre c with sum_i p_i close to k - 1/2, p_i = logistic((x_i - c) / T): safeguarded Newton steps on theta,
 * the shift of the centre in units of T, from exponentials about the k-th largest entry. A few percent are enough.
 */
function tiltedCentre(row: CentredRow, x: Float64Array, scale: ExponentialScale): number {
  const { n, k, e, values, group, centre } = row;
  expBelow(x, n, centre, scale, e);
  const target = k - 0.5;
  let low = -800;
  let high = 800;
  let theta = 0;
  for (let iteration = 0; iteration < 60; iteration++) {
    const lambda = Math.exp(theta);
    let mean = 0;
    let variance = 0;
    for (let i = 0; i < n; i++) {
      const p = (lambda * e[i]) / (1 + lambda * e[i]);
      mean += p;
      variance += p * (1 - p);
    }
    for (let g = 0; g < group; g++) {
      const p = 1 / (1 + Math.exp(-theta - (values[g] - centre) * scale.inverse));
      mean += p;
      variance += p * (1 - p);
    }
    if (Math.abs(mean - target) < 0.05) break;
    if (mean > target) high = theta;
    else low = theta;
    const newton = theta + (target - mean) / variance;
    theta = newton > low && newton < high ? newton : (low + high) / 2;
  }
  return centre - theta * scale.temperature[0];
}
