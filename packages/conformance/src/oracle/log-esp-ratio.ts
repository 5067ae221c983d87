/**
 * log sigma_k - log sigma_{k-1} and its gradient pi^(k) - pi^(k-1), which is, without the cancellation,
 *   r_i (D_{k-1}^2 - D_{k-2} D_k) / (P_k P_{k-1}),
 * D the product of the factors but i's and r_i its ratio: the same on either side of the centre.
 */
import { centredFactors, type Factors, ratio } from "./centred-factors.ts";
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosure, Enclosures } from "./enclosures.ts";
import { unitWeights } from "./inclusion-probabilities.ts";
import { ProductTree } from "./product-tree.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";

/**
 * Visits the gradient's wanted entries.
 *
 * @param tree   of degree k at least, 1 <= k <= number of factors.
 * @param visit  receives an enclosure that is gone when it returns.
 */
export function visitRatioGradient(
  enclosures: Enclosures,
  tree: ProductTree,
  factors: Factors,
  k: number,
  wanted: Uint8Array,
  visit: (entry: number, value: Enclosure) => void,
): void {
  const mark = enclosures.mark();
  const value = enclosures.allocate(2);
  tree.visitOutside(unitWeights(enclosures, k), k + 1, 3, wanted, (i, outside) => {
    enclosures.multiply(value, outside + 1, outside + 1);
    enclosures.multiply(value + 1, outside, outside + 2);
    enclosures.subtract(value, value, value + 1);
    enclosures.multiply(value, value, ratio(factors, i));
    enclosures.divide(value, value, tree.coefficient(k));
    enclosures.divide(value, value, tree.coefficient(k - 1));
    visit(i, value);
  });
  enclosures.release(mark);
}

/**
 * @param k  1 <= k <= number of entries.
 * @returns the value, then one gradient entry per entry of the row.
 */
export function logEspRatio<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  k: number,
  wanted: Uint8Array,
): Value[] {
  return roundCorrectly(enclosures, rounding, Uint8Array.of(1, ...wanted), (pending, settle) => {
    const factors = centredFactors(enclosures, row, k, null);
    const tree = new ProductTree(enclosures, factors, k);
    const value = enclosures.allocate(2);
    enclosures.divide(value, tree.coefficient(k), tree.coefficient(k - 1));
    enclosures.logarithm(value, value);
    enclosures.setDouble(value + 1, row.sorted[k - 1]);
    enclosures.add(value, value, value + 1);
    settle(0, value);
    visitRatioGradient(enclosures, tree, factors, k, pending.subarray(1), (i, entry) => settle(1 + i, entry));
  });
}
