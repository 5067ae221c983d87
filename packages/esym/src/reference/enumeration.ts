/**
 * The definition: log sigma_j as a sum over all j-subsets. C(n, j) terms; for small n, and for tests of the others.
 */

/** More subsets than this are refused: about ten seconds of work. */
export const MOST_SUBSETS: number = 2 ** 26;

/** Number of subsets with at most k of n entries. */
export function subsetCount(n: number, k: number): number {
  let binomial = 1;
  let total = 1;
  for (let j = 1; j <= k; j++) {
    binomial = (binomial * (n - j + 1)) / j;
    total += binomial;
  }
  return total;
}

/**
 * log sigma_0..log sigma_k of exp(x) by enumeration.
 *
 * Each order is scaled by its largest term. A subset's exponent is a sum of j numbers: error about
 * (j max |x| + C(n, j)) u at worst, and a few u max(1, |x|) in practice.
 */
export function logEspByEnumeration(x: Float64Array, n: number, k: number): Float64Array {
  const entries = x.subarray(0, n).filter((v) => v > -Infinity);
  entries.sort().reverse();
  const largest = new Float64Array(k + 1).fill(-Infinity);
  const sums = new Float64Array(k + 1);
  let prefix = 0;
  for (let j = 0; j <= Math.min(k, entries.length); j++) {
    largest[j] = prefix;
    prefix += entries[j];
  }
  const visit = (next: number, size: number, exponent: number): void => {
    sums[size] += Math.exp(exponent - largest[size]);
    if (size === k) return;
    for (let i = next; i < entries.length; i++) visit(i + 1, size + 1, exponent + entries[i]);
  };
  visit(0, 0, 0);
  return sums.map((sum, j) => (largest[j] === -Infinity ? -Infinity : largest[j] + Math.log(sum)));
}
