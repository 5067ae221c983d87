/**
 * The log-ratio of orders 1 and 0, log sigma_1, of one row: a log-sum-exp, whose gradient is the softmax. No products and
 * no selection of the largest: the exponentials about the row's maximum, and their sum.
 */
import { expBelow, type ExponentialScale } from "../numbers/exponential.ts";

/** Terms added by plain additions, eight to a running sum, before the compensated outer sum takes over. */
const BLOCK = 32;

/**
 * Sum of n non-negative terms: four running sums in a block, and compensated sums of the blocks.
 *
 * A term takes part in at most 7 plain additions of a running sum and 2 of the four: relative error below 9 u + O(n u^2).
 */
export function sumOfTerms(terms: Float64Array, n: number): number {
  let total = 0;
  let compensation = 0;
  for (let from = 0; from < n; from += BLOCK) {
    const to = Math.min(from + BLOCK, n);
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = from;
    for (; i + 3 < to; i += 4) {
      a += terms[i];
      b += terms[i + 1];
      c += terms[i + 2];
      d += terms[i + 3];
    }
    for (; i < to; i++) a += terms[i];
    const block = a + b + (c + d);
    const next = total + block;
    const back = next - total;
    compensation += total - (next - back) + (block - back);
    total = next;
  }
  return total + compensation;
}

/**
 * exp((x_i - centre) / T) of every entry, the centre being the largest.
 *
 * @param x  n entries, -Infinity where one is removed.
 * @param e  receives them.
 * @returns the centre, or -Infinity if no entry is left.
 */
export function exponentialsBelowLargest(x: Float64Array, n: number, scale: ExponentialScale, e: Float64Array): number {
  let centre = -Infinity;
  for (let i = 0; i < n; i++) {
    const v = x[i];
    if (v > centre) centre = v;
  }
  if (centre > -Infinity) expBelow(x, n, centre, scale, e);
  return centre;
}
