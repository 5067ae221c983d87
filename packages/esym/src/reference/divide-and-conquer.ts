/**
 * The paper's algorithm: a tree of products of truncated polynomials, every coefficient a logarithm.
 *
 * log n levels, all nodes of a level independent of each other: what a parallel machine runs. Each product costs a
 * log-sum-exp per coefficient. Berrada, Zisserman, Kumar (2018), section 4.2 and algorithm 1.
 */

/** log(exp(a_1) + ... ), without overflow; -Infinity for no terms. */
function logSumExp(terms: Float64Array, count: number): number {
  let largest = -Infinity;
  for (let i = 0; i < count; i++) largest = Math.max(largest, terms[i]);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp(terms[i] - largest);
  return largest + Math.log(sum);
}

/**
 * log sigma_0..log sigma_k of exp(x).
 *
 * At every level a coefficient takes the errors of two factors and one log-sum-exp of at most k + 1 terms: error below
 * (k + 4) u max |log coefficient| per level at worst. O(nk) exponentials.
 */
export function logEspByDivideAndConquer(x: Float64Array, n: number, k: number): Float64Array {
  const terms = new Float64Array(k + 1);
  // Node p holds log coefficients 0..degree of the product of (1 + exp(x_i) X) over its entries.
  let level: Float64Array[] = [];
  for (let i = 0; i < n; i++) level.push(k === 0 ? Float64Array.of(0) : Float64Array.of(0, x[i]));
  while (level.length > 1) {
    const next: Float64Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) next.push(multiply(level[i], level[i + 1], k, terms));
    if (level.length % 2 === 1) next.push(level[level.length - 1]);
    level = next;
  }
  const out = new Float64Array(k + 1).fill(-Infinity);
  out.set(level.length === 0 ? [0] : level[0]);
  return out;
}

function multiply(a: Float64Array, b: Float64Array, k: number, terms: Float64Array): Float64Array {
  const degree = Math.min(k, a.length + b.length - 2);
  const out = new Float64Array(degree + 1);
  for (let j = 0; j <= degree; j++) {
    let count = 0;
    for (let l = Math.max(0, j - b.length + 1); l <= Math.min(j, a.length - 1); l++) terms[count++] = a[l] + b[j - l];
    out[j] = logSumExp(terms, count);
  }
  return out;
}
