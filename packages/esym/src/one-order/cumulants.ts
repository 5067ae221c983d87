/**
 * Joint cumulants of the k-subset distribution, which are the derivatives of log sigma_k of all orders.
 *
 * log sigma_k(x + sum_a eps_a w_a) is the cumulant generating function of the sums w_a(A) over a random k-subset A, so
 *   d^m log sigma_k [w_1, .., w_m] = kappa(w_1(A), .., w_m(A)),
 * and with one direction left open, c_i = kappa([i in A], w_1(A), .., w_m(A)): for m = 0 the inclusion probability, for
 * m = 1 the covariance (covariance.ts); here m >= 2.
 *
 * The derivatives are taken by arithmetic in which eps_a^2 = 0: a number is 2^m coefficients, one for each subset S of the
 * directions, and exp(x_i + sum_a eps_a w_ai) = exp(x_i) prod_a (1 + eps_a w_ai). With p_i = logistic(x_i - c) the factor of
 * entry i is (1 - p_i) + p_i prod_a(..) X; c is chosen so that sum_i p_i = k, which puts coefficient k at the peak of a
 * Poisson-binomial distribution: nothing that underflows can matter. Entry i is left out by products from both ends, not by
 * division; the eps-free parts are sums of positive terms. As kappa does not change when a constant is added to w_a, the
 * directions are centred first, which keeps what cancels small.
 */

/** The coefficients of the subsets of m directions; index bit a: eps_a. */
type Nilpotent = Float64Array;

/**
 * out[i] += weight kappa([i in A], w_1(A), .., w_m(A)) over the k-subsets of one row, m >= 2.
 *
 * @param x  n log-values, -Infinity where an entry is missing; a row with fewer than k entries adds nothing.
 * @param w  m directions of n finite weights.
 *
 * Error below C_m n u pi_i prod_a (max w_a - min w_a) sqrt(k)^m, C_m a small constant. O(n k 3^m) time, O(n k 2^m) memory.
 */
export function addOpenCumulants(
  x: Float64Array,
  k: number,
  w: readonly Float64Array[],
  weight: number,
  out: Float64Array,
): void {
  const present = [...x.keys()].filter((i) => x[i] > -Infinity);
  const n = present.length;
  // A subset that cannot vary has no cumulants of order two and above.
  if (k === 0 || k >= n) return;
  const { p, q } = tiltedProbabilities(
    present.map((i) => x[i]),
    k,
  );
  const centres = w.map((weights) => present.reduce((sum, i, at) => sum + p[at] * weights[i], 0) / k);
  const size = 1 << w.length;
  const width = k * size; // degrees 0 to k - 1 of the products without one entry
  const factors = present.map((i, at) =>
    factorOf(
      p[at],
      w.map((weights, a) => weights[i] - centres[a]),
    ),
  );
  const prefix = new Float64Array((n + 1) * width);
  prefix[0] = 1;
  for (let at = 0; at < n; at++) {
    multiply(prefix, at * width, prefix, (at + 1) * width, k, q[at], factors[at]);
  }
  // sigma_k(eps), from degrees k and k - 1 of the product without the last entry, comes with the entry sums below.
  let suffix = new Float64Array(width);
  suffix[0] = 1;
  const without: Nilpotent[] = new Array<Nilpotent>(n);
  for (let at = n - 1; at >= 0; at--) {
    without[at] = convolved(prefix, at * width, suffix, k - 1, size);
    const longer = new Float64Array(width);
    multiply(suffix, 0, longer, 0, k, q[at], factors[at]);
    suffix = longer;
  }
  // k sigma_k = sum_i e_i sigma_{k-1}(without i), in eps too.
  const inside = factors.map((factor, at) => product(factor, without[at]));
  const total = new Float64Array(size);
  for (const part of inside) for (let s = 0; s < size; s++) total[s] += part[s] / k;
  const inverse = reciprocal(total);
  for (const [at, i] of present.entries()) {
    let top = 0;
    for (let s = 0; s < size; s++) top += inside[at][s] * inverse[size - 1 - s];
    out[i] += weight * top;
  }
}

/**
 * p_i = logistic(x_i - c) and q_i = 1 - p_i = logistic(c - x_i), with sum_i p_i within 0.05 of k, by bisection in c.
 */
function tiltedProbabilities(x: readonly number[], k: number): { p: Float64Array; q: Float64Array } {
  const sorted = x.toSorted((a, b) => b - a);
  // At the lower end the k + 1 largest entries have p >= 1 - e^-3 / n each, at the upper end all but k - 1 have
  // p <= e^-3 / n: the sum passes k in between.
  const margin = Math.log(x.length) + 3;
  let low = sorted[k] - margin;
  let high = sorted[k - 1] + margin;
  let c = (low + high) / 2;
  for (let step = 0; step < 100; step++) {
    const mean = x.reduce((sum, value) => sum + logistic(value - c), 0);
    if (Math.abs(mean - k) < 0.05) break;
    if (mean > k) low = c;
    else high = c;
    c = (low + high) / 2;
  }
  return {
    p: Float64Array.from(x, (value) => logistic(value - c)),
    q: Float64Array.from(x, (value) => logistic(c - value)),
  };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** p prod_a (1 + eps_a w_a). */
function factorOf(p: number, w: readonly number[]): Nilpotent {
  const out = new Float64Array(1 << w.length);
  out[0] = p;
  for (const [a, weight] of w.entries()) for (let s = 0; s < 1 << a; s++) out[s + (1 << a)] = weight * out[s];
  return out;
}

/** to = from (constant + factor X), degrees 0 to k - 1. */
function multiply(
  from: Float64Array,
  f: number,
  to: Float64Array,
  t: number,
  k: number,
  constant: number,
  factor: Nilpotent,
): void {
  const size = factor.length;
  for (let j = 0; j < k; j++) {
    for (let s = 0; s < size; s++) {
      let sum = constant * from[f + j * size + s];
      if (j > 0) sum += coefficient(factor, 0, from, f + (j - 1) * size, s);
      to[t + j * size + s] = sum;
    }
  }
}

/** Coefficient s of a product: the sum over the subsets r of s of a_r b_(s without r). */
function coefficient(a: Float64Array, atA: number, b: Float64Array, atB: number, s: number): number {
  let sum = 0;
  for (let r = s; ; r = (r - 1) & s) {
    sum += a[atA + r] * b[atB + (s ^ r)];
    if (r === 0) return sum;
  }
}

function product(a: Nilpotent, b: Nilpotent): Nilpotent {
  return a.map((_, s) => coefficient(a, 0, b, 0, s));
}

/** Degree `degree` of the product of two polynomials. */
function convolved(a: Float64Array, atA: number, b: Float64Array, degree: number, size: number): Nilpotent {
  const out = new Float64Array(size);
  for (let l = 0; l <= degree; l++) {
    for (let s = 0; s < size; s++) out[s] += coefficient(a, atA + l * size, b, (degree - l) * size, s);
  }
  return out;
}

/** 1 / a: from (1 / a) a = 1, coefficient by coefficient. */
function reciprocal(a: Nilpotent): Nilpotent {
  const out = new Float64Array(a.length);
  out[0] = 1 / a[0];
  for (let s = 1; s < a.length; s++) out[s] = -coefficient(out, 0, a, 0, s) / a[0];
  return out;
}
