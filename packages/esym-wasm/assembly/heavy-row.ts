/**
 * A row with heavy entries: the centred form of packages/esym, about the k-th largest entry c.
 *
 * Entries above c are (r_i + X), r_i = exp((c - x_i) / T), the others (1 + e_i X). The k largest, and every entry whose inclusion
 * probability may exceed theta, are the group, multiplied in one by one; the product of the light entries is made
 *   from M power sums, where theta^M is negligible (or M >= k and theta = 1/4), or
 *   by multiplying them in as well, with theta = 1/4,
 * whichever is estimated to be cheaper. With S the sum of all e but the k - 1 largest, q_i = e_i k / S bounds the inclusion
 * probabilities of orders up to k.
 */
import { exponentOf, get, getIndex, powerOfTwo, set, setIndex } from "./cells";
import { expBelow, expBeside } from "./exponential";
import { selectLargest } from "./largest";
import { EXACT_BELOW, thetaFor } from "./light-row";
import { allCoefficients } from "./newton-identities";
import { FIRST_POWERS, firstSum, MORE_POWERS, morePowers, MOST_POWERS } from "./power-sums";
import {
  multiplyEntries,
  multiplyEntriesCompensated,
  multiplyFactors,
  multiplyFactorsCompensated,
  scaleBy,
  settle,
} from "./products";
import {
  baseAt,
  baseLoAt,
  constantAt,
  eAt,
  fullAt,
  fullLoAt,
  indexAt,
  linearAt,
  rowAt,
  sumsAt,
  valuesAt,
} from "./room";
import { callsForTilt, tilt } from "./tilt";

/** The group of the row last factorised. */
export let group: i32 = 0;
export let centre: f64 = 0;
/** X stands for 2^shift X. */
export let shift: i32 = 0;
/** The power sums that the light product was made from, 0 if it was multiplied. */
export let powers: i32 = 0;
/** A bound on the light entries' inclusion probabilities. */
export let theta: f64 = 0;
export let baseExponent: i32 = 0;
export let fullExponent: i32 = 0;

/** How many of e[0..n) are above the bound. */
function countAbove(e: usize, n: i32, bound: f64): i32 {
  const b = f64x2.splat(bound);
  let count = i64x2.splat(0);
  const end = e + ((<usize>((n + 1) & ~1)) << 3);
  for (; e < end; e += 16) count = i64x2.sub(count, f64x2.gt(v128.load(e), b));
  return <i32>(i64x2.extract_lane(count, 0) + i64x2.extract_lane(count, 1));
}

/** Sets `powers` and `theta` to what is estimated to be cheapest, in nanoseconds. */
function choose(n: i32, k: i32, sum: f64, floats: bool): void {
  // A factor costs forward about 3 ns per order compensated and 0.5 plain, and as much as plain backward.
  const factor: f64 = floats ? 1.2 : 4;
  const unit = sum / <f64>k;
  powers = 0;
  theta = EXACT_BELOW;
  const order = <f64>k;
  let least =
    <f64>n * order * (floats ? 0.8 : 3.4) + <f64>(k + countAbove(eAt, n, EXACT_BELOW * unit)) * order * factor;
  for (let M = FIRST_POWERS; M <= MOST_POWERS; M += MORE_POWERS) {
    const t = min(thetaFor(M, k, floats), EXACT_BELOW);
    const heavy = <f64>(k + countAbove(eAt, n, t * unit));
    const cost = <f64>n * (1 + 0.5 * <f64>M) + order * <f64>(4 * M + 30) + heavy * order * factor;
    if (cost < least) {
      least = cost;
      powers = M;
      theta = t;
    }
    if (t === EXACT_BELOW) break;
  }
}

/** Scales a factor of the group so that its larger number is in [1, 2). */
function normalise(g: i32): void {
  const a = get(constantAt, g);
  const b = get(linearAt, g) * powerOfTwo(shift);
  const factor = powerOfTwo(-exponentOf(max(a, b)));
  set(constantAt, g, a * factor);
  set(linearAt, g, b * factor);
}

/**
 * Selects the group and computes the factors; false where fewer than k entries are left (sigma_k = 0). The row is used up.
 *
 * @param products  whether light entries are to be multiplied in, whatever is cheaper.
 */
export function gather(n: i32, k: i32, floats: bool, products: bool): bool {
  group = selectLargest(rowAt, n, k, valuesAt, indexAt);
  if (group < k) return false;
  for (let g = 0; g < group; g++) set(rowAt, getIndex(indexAt, g), -Infinity);
  centre = get(valuesAt, k - 1);
  const padded = (n + 16) & ~15;
  expBelow(rowAt, padded, centre, eAt);
  for (let g = 0; g < group; g++) {
    const above = get(valuesAt, g) > centre;
    set(constantAt, g, above ? expBeside(valuesAt, g, centre) : 1);
    set(linearAt, g, 1);
  }
  firstSum(eAt, n);
  const sum = 1 + get(sumsAt, 1);
  if (products) {
    powers = 0;
    theta = EXACT_BELOW;
  } else {
    choose(n, k, sum, floats);
  }
  shift = callsForTilt(n, k) ? tilt(eAt, n, k, group, constantAt, linearAt) : 0;
  const bound = (theta * sum) / <f64>k;
  for (let i = 0; i < n; i++) {
    const e = get(eAt, i);
    if (e > bound) {
      setIndex(indexAt, group, i);
      set(constantAt, group, 1);
      set(linearAt, group++, e);
      set(eAt, i, 0);
    }
  }
  for (let g = 0; g < group; g++) normalise(g);
  if (shift !== 0) scaleBy(eAt, n - 1, powerOfTwo(shift));
  return true;
}

/** The light product to base 2^baseExponent, the whole to full 2^fullExponent; doubles are compensated. */
function multiplyAll(n: i32, k: i32, floats: bool): void {
  memory.fill(baseAt, 0, (<usize>(k + 1)) << 3);
  memory.fill(baseLoAt, 0, (<usize>(k + 1)) << 3);
  set(baseAt, 0, 1);
  if (powers > 0) {
    firstSum(eAt, n);
    for (let m = 1; m < powers; m += MORE_POWERS) morePowers(eAt, n, m);
    baseExponent = allCoefficients(sumsAt, powers, k, baseAt, baseLoAt);
  } else if (floats) {
    baseExponent = multiplyEntries(baseAt, k, eAt, n);
  } else {
    baseExponent = multiplyEntriesCompensated(baseAt, baseLoAt, k, eAt, n);
  }
  memory.copy(fullAt, baseAt, (<usize>(k + 1)) << 3);
  if (floats) {
    fullExponent = baseExponent + multiplyFactors(fullAt, k, constantAt, linearAt, 0, group);
  } else {
    memory.copy(fullLoAt, baseLoAt, (<usize>(k + 1)) << 3);
    fullExponent = baseExponent + multiplyFactorsCompensated(fullAt, fullLoAt, k, constantAt, linearAt, group);
    settle(fullAt, fullLoAt, k);
    settle(baseAt, baseLoAt, k);
  }
  // sigma_k itself is brought near 1: the middle coefficients of k > n / 2 are far larger and must not push it out.
  const exponent = exponentOf(get(fullAt, k));
  scaleBy(fullAt, k, powerOfTwo(-exponent));
  fullExponent += exponent;
}

/** Fills in the row's factors and products; false where sigma_k = 0. */
export function factorise(n: i32, k: i32, floats: bool): bool {
  if (!gather(n, k, floats, false)) return false;
  multiplyAll(n, k, floats);
  return true;
}

/** sigma_k / sigma_{k-1} in units of exp(centre / T). */
export function ratioOfProducts(k: i32): f64 {
  return (get(fullAt, k) / get(fullAt, k - 1)) * powerOfTwo(-shift);
}
