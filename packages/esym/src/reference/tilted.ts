/**
 * The tilted form: log sigma_j by the Poisson-binomial distribution.
 *
 * With probabilities p_i = lambda e_i / (1 + lambda e_i), the product of ((1 - p_i) + p_i X) has coefficients
 * PMF(j) = lambda^j sigma_j / prod (1 + lambda e_i) of the number of successes: nothing can overflow, and with
 * a mean of about j the coefficient wanted is at the peak, so nothing that underflows matters. No logarithm in the
 * inner loop and no exponent beside it: the form for single precision and for GPUs.
 */

/** A coefficient is read off only where it is far above what underflow can have cost it. */
const SMALLEST_PMF = 1e-200;

/** theta with sum logistic(x_i + theta) close to the target; bisection-safe Newton. */
function tilt(x: Float64Array, n: number, target: number): number {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < n; i++) {
    if (x[i] === -Infinity) continue;
    low = Math.min(low, x[i]);
    high = Math.max(high, x[i]);
  }
  // Beyond these ends every p_i is below 1 / (2n), or above 1 - 1 / (2n).
  const room = Math.log(2 * n) + 1;
  let from = -high - room;
  let to = -low + room;
  let theta = (from + to) / 2;
  for (let iteration = 0; iteration < 200 && to - from > 1e-3; iteration++) {
    let mean = 0;
    let variance = 0;
    for (let i = 0; i < n; i++) {
      const p = 1 / (1 + Math.exp(-(x[i] + theta)));
      mean += p;
      variance += p * (1 - p);
    }
    if (Math.abs(mean - target) < 0.1) break;
    if (mean > target) to = theta;
    else from = theta;
    const newton = theta + (target - mean) / variance;
    theta = newton > from && newton < to ? newton : (from + to) / 2;
  }
  return theta;
}

/**
 * log sigma_0..log sigma_k of exp(x): from the highest order down, one distribution for all orders it reaches.
 *
 * Error: n roundings a coefficient, and those of the sum of log1p(lambda e_i) and of j theta: below
 * (4n + 8) u max(1, n, j |theta|, |log sigma_j|). O(nk) time for each distribution, one for well-spread entries.
 */
export function logEspByTilting(x: Float64Array, n: number, k: number): Float64Array {
  const out = new Float64Array(k + 1).fill(-Infinity);
  let count = 0;
  for (let i = 0; i < n; i++) if (x[i] > -Infinity) count++;
  if (count === 0) {
    out[0] = 0;
    return out;
  }
  let highest = Math.min(k, count);
  const pmf = new Float64Array(highest + 1);
  while (highest >= 0) {
    const theta = tilt(x, n, Math.min(highest + 0.5, count - 0.5));
    pmf.fill(0);
    pmf[0] = 1;
    let logNormaliser = 0;
    for (let i = 0; i < n; i++) {
      if (x[i] === -Infinity) continue;
      // q = 1 / (1 + e), p = e / (1 + e) without overflow, and log(1 + e)
      const t = x[i] + theta;
      const e = Math.exp(-Math.abs(t));
      const smaller = e / (1 + e);
      const larger = 1 / (1 + e);
      const p = t > 0 ? larger : smaller;
      const q = t > 0 ? smaller : larger;
      logNormaliser += Math.max(t, 0) + Math.log1p(e);
      for (let j = highest; j > 0; j--) pmf[j] = q * pmf[j] + p * pmf[j - 1];
      pmf[0] *= q;
    }
    const start = highest;
    while (highest >= 0 && (highest === start || pmf[highest] > SMALLEST_PMF)) {
      out[highest] = logNormaliser - highest * theta + Math.log(pmf[highest]);
      highest--;
    }
  }
  return out;
}
