/**
 * Exact samples of k-subsets.
 */
import { type ArrayLike2d, checkLogValues, checkOrder, copyRow, rowsOf } from "./border.ts";
import { type SubsetSampler, subsetSamplerOfRow } from "./one-order/subset-tree.ts";

/**
 * Prepares exact sampling from the k-subset distribution of one row:
 * P(A) = prod over i in A of exp(x_i) / sigma_k(exp(x)), |A| = k. Entry i is in a sample with its inclusion
 * probability.
 *
 * @param x  log-values, shape [n]; -Infinity removes an entry. Not mutated.
 * @param k  subset size, 0 <= k <= n.
 * @returns  a function that draws the k indices of a subset, ascending, from a source of uniform numbers in [0, 1).
 *           The same source gives the same samples.
 * @throws RangeError or TypeError naming the argument, the index and the value; also if fewer than k entries are left.
 *
 * O(nk) time and memory to prepare; O(k (log n + k)) at most a sample.
 * The sampler that SIMPLE (Ahmed, Zeng, Niepert, Van den Broeck, ICLR 2023) and its kind build on.
 *
 * @example
 * ```ts
 * import { subsetSampler } from "@smooth-topk/esym";
 *
 * console.log(subsetSampler([0, 1, 2], 2)(() => 0.5)); // any source of uniform numbers: 1, 2
 * ```
 */
export function subsetSampler(x: ArrayLike2d, k: number): SubsetSampler {
  const caller = "subsetSampler";
  const rows = rowsOf(caller, "x", x);
  if (!rows.isVector) {
    throw new RangeError(`${caller}: x has shape [${rows.batch}, ${rows.n}], expected a vector`);
  }
  checkOrder(caller, k, rows.n, 0, 0);
  checkLogValues(caller, "x", rows);
  const row = new Float64Array(rows.n);
  copyRow(rows, 0, row);
  const sampler = subsetSamplerOfRow(row, k);
  if (sampler === null) {
    throw new RangeError(`${caller}: x has fewer than k = ${k} entries above -Infinity, there is no k-subset`);
  }
  return sampler;
}
