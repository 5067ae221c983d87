/**
 * A row all of whose entries are light: every inclusion probability of order k is small. Then nothing has to be selected and
 * nothing multiplied: power sums of exp((x_i - max) / T), Newton's identities, one polynomial for the gradient.
 *
 * The largest entry has e = 1 and the k - 1 largest at most k - 1 together: S - (k - 1), S = p_1, bounds the sum of the others
 * from below, and q = k / (S - k + 1) bounds every inclusion probability, because k sigma_k >= sigma_{k-1} times that sum.
 * The row is light if q^M is negligible for one of the M that there are, or if M >= k, where the sums are all there are,
 * and q <= 1/4. The terms left out are below q^M of the ratio (docs/algorithm.md).
 */
import { exponentOf, get, powerOfTwo, set } from "./cells";
import { largest } from "./incoming-row";
import { lastCoefficients } from "./newton-identities";
import {
  exponentialsAndSums,
  FIRST_POWERS,
  FIRST_POWERS_F32,
  firstSum,
  floatExponentialsAndSums,
  MORE_POWERS,
  moreFloatPowers,
  morePowers,
  MOST_POWERS,
  MOST_POWERS_F32,
} from "./power-sums";
import { brackets, evaluateDoubles, evaluateFloats, linearSeries } from "./ratio-series";
import { baseAt, eAt, rowAt, sumsAt } from "./room";
import { inclusionWeight, ratioWeight, settleRatio, vanishes, wanted } from "./row-weight";

/** Inclusion probability up to which all k power sums may be used. */
export const EXACT_BELOW: f64 = 0.25;
/** What the terms left out of the gradient may be of it. */
const NEGLIGIBLE: f64 = 2.220446049250313e-16;
const NEGLIGIBLE_F32: f64 = 5e-7;

/**
 * The inclusion probability up to which M power sums are enough: theta^M = 2^-56; for floats M theta^M = 2e-6, because their
 * gradient is promised to 1e-5 of its largest.
 */
export function thetaFor(M: i32, k: i32, floats: bool): f64 {
  if (M >= k) return k === 1 ? Infinity : EXACT_BELOW;
  if (floats) return M === 4 ? 0.0265 : M === 5 ? 0.052 : M === 8 ? 0.149 : M === 9 ? 0.18 : EXACT_BELOW;
  return M === 5 ? 4.2e-4 : M === 9 ? 0.0133 : M === 13 ? 0.05 : 0.1;
}

/** The number of power sums that a bound q on the inclusion probabilities asks for; 0 if more than there are. */
function powersFor(q: f64, k: i32, floats: bool): i32 {
  if (k === 1) return 1;
  const most = floats ? MOST_POWERS_F32 : MOST_POWERS;
  for (let M = floats ? FIRST_POWERS_F32 : FIRST_POWERS; M <= most; M += MORE_POWERS) {
    if (q <= thetaFor(M, k, floats)) return M;
  }
  return 0;
}

/** Whether a row of n entries can be light at all: S <= n. */
export function canBeLight(n: i32, k: i32, floats: bool): bool {
  return powersFor(<f64>k / <f64>(n - k + 1), k, floats) !== 0;
}

/** The degree of the gradient's polynomial beyond e^1 for which what is left out is below `negligible`. */
function termsFor(q: f64, most: i32, negligible: f64): i32 {
  let term = q;
  let l = 0;
  while (l < most && <f64>(l + 2) * term > negligible) {
    l++;
    term *= q;
  }
  return l;
}

/** q of a row with sum S. */
// @ts-ignore: decorator
@inline
function largestProbability(k: i32): f64 {
  const others = get(sumsAt, 1) - <f64>(k - 1);
  return others > 0 ? <f64>k / others : Infinity;
}

/** The ratio, and the polynomial of the gradient, from M power sums. */
function finish(k: i32, M: i32, terms: i32): void {
  if (k === 1) {
    // sigma_1 / sigma_0 = p_1, with the gradient e / p_1.
    const sum = get(sumsAt, 1);
    settleRatio(sum, largest);
    linearSeries((inclusionWeight + ratioWeight) / sum);
    return;
  }
  // In units where p_1 is about k no coefficient leaves the range of doubles faster than exp(k).
  const shift = exponentOf(get(sumsAt, 1) / <f64>k);
  const unit = powerOfTwo(-shift);
  let factor = unit;
  for (let m = 1; m <= M; m++) {
    set(sumsAt, m, get(sumsAt, m) * factor);
    factor = -factor * unit;
  }
  const c = baseAt;
  const identities = max(M | 1, 5);
  for (let m = M + 1; m <= identities; m++) set(sumsAt, m, 0);
  lastCoefficients(sumsAt, identities, k, c);
  // k c_k / c_{k-1} = p_1 - (p_2 c_{k-2} - ...) / c_{k-1}: all but p_1 is small.
  let rest: f64 = 0;
  for (let m = min(M, k); m > 1; m--) rest += get(sumsAt, m) * get(c, k - m);
  const ratio = ((get(sumsAt, 1) + rest / get(c, k - 1)) / <f64>k) * powerOfTwo(shift);
  settleRatio(ratio, largest);
  brackets(c, k, terms, unit, inclusionWeight, ratioWeight);
}

/** The row of doubles at rowAt; false, and nothing done, if it is not light. Its e are then at eAt. */
export function lightDoubles(n: i32, k: i32, out: usize): bool {
  if (largest === -Infinity) return false;
  exponentialsAndSums(rowAt, n, largest, eAt, k > 1);
  for (let i = (n + 1) & ~1; i < ((n + 7) & ~7); i += 2) v128.store(eAt + ((<usize>i) << 3), f64x2.splat(0));
  firstSum(eAt, n);
  const q = largestProbability(k);
  const M = powersFor(q, k, false);
  if (M === 0) return false;
  for (let m = FIRST_POWERS; m < M; m += MORE_POWERS) morePowers(eAt, n, m);
  finish(k, M, termsFor(q, M, NEGLIGIBLE));
  if (!wanted) return true;
  if (vanishes()) memory.fill(out, 0, (<usize>n) << 3);
  else evaluateDoubles(eAt, n, out);
  return true;
}

/** The row of floats at rowAt, overwritten; false if it is not light. */
export function lightFloats(n: i32, k: i32, out: usize): bool {
  if (largest === -Infinity) return false;
  floatExponentialsAndSums(rowAt, n, largest, k > 1);
  const q = largestProbability(k);
  const M = powersFor(q, k, true);
  if (M === 0) return false;
  if (M > FIRST_POWERS_F32) moreFloatPowers(rowAt, n);
  finish(k, M, termsFor(q, M, NEGLIGIBLE_F32));
  if (!wanted) return true;
  if (vanishes()) memory.fill(out, 0, (<usize>n) << 2);
  else evaluateFloats(rowAt, n, out);
  return true;
}
