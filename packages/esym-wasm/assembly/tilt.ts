/**
 * The power of two by which X is scaled where C(n, k) leaves the range of doubles: the distribution of probabilities
 * p_i = lambda e_i / (1 + lambda e_i) then has a mean near k - 1/2, and the wanted coefficients are near its peak.
 *
 * Scaling by a power of two rounds nothing and leaves the centre a score. A factor of sqrt 2 off in lambda puts order k about
 * exp(-k / 16) below the peak, which no k that memory allows brings to the end of the range. The mean comes from a histogram
 * of the e_i by their exponents: one pass.
 */
import { exponentOf, get, powerOfTwo, set } from "./cells";
import { countsAt } from "./room";

/** k (1 + ln(n / k)) >= ln C(n, k) above this calls for it. Below, no coefficient passes 2^400. */
const LARGEST_LOG_BINOMIAL: f64 = 270;
/** Entries below 2^-63 of the centre's do not move the mean. */
const BINS: i32 = 64;

export function callsForTilt(n: i32, k: i32): bool {
  return <f64>k * (1 + Math.log(<f64>n / <f64>k)) > LARGEST_LOG_BINOMIAL;
}

/** The sum of p_i for lambda = 2^shift. */
function mean(shift: i32, group: i32, constant: usize, linear: usize): f64 {
  const lambda = powerOfTwo(shift);
  let sum: f64 = 0;
  for (let b = 0; b < BINS; b++) {
    const count = get(countsAt, BINS + b);
    if (count > 0) {
      const e = (lambda * get(countsAt, b)) / count;
      sum += (count * e) / (1 + e);
    }
  }
  for (let g = 0; g < group; g++) {
    const e = lambda * get(linear, g);
    sum += e / (e + get(constant, g));
  }
  return sum;
}

/** The exponent of lambda, for entries e[0..n) and the group's factors constant + linear X. */
export function tilt(e: usize, n: i32, k: i32, group: i32, constant: usize, linear: usize): i32 {
  for (let b = 0; b < 2 * BINS; b++) set(countsAt, b, 0);
  for (let i = 0; i < n; i++) {
    const v = get(e, i);
    const b = -exponentOf(v);
    if (v > 0 && b < BINS) {
      set(countsAt, b, get(countsAt, b) + v);
      set(countsAt, BINS + b, get(countsAt, BINS + b) + 1);
    }
  }
  const target: f64 = <f64>k - 0.5;
  // At the lower end the entries below the centre count 1/2 together, at the upper the k largest k - 1/2 at least.
  let low = -exponentOf(<f64>n) - 3;
  let high = exponentOf(<f64>k) + 3;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (mean(middle, group, constant, linear) > target) high = middle;
    else low = middle;
  }
  const above = mean(high, group, constant, linear) - target;
  return above < target - mean(low, group, constant, linear) ? high : low;
}
