/** pi_i = e_i sigma_{k-1}(e without i) / sigma_k(e), the gradient of log sigma_k. */
import { centredFactors, type Factors, ratio } from "./centred-factors.ts";
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosure, Enclosures } from "./enclosures.ts";
import { ProductTree } from "./product-tree.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";

/** Weights of a window whose entry u is the coefficient order - u of the outside product: 1 at `order`, 0 below. */
export function unitWeights(enclosures: Enclosures, order: number): Enclosure {
  const weights = enclosures.allocate(order + 1);
  for (let b = 0; b < order; b++) enclosures.setDouble(weights + b, 0);
  enclosures.setDouble(weights + order, 1);
  return weights;
}

/**
 * @param k          1 <= k <= number of factors.
 * @param wanted     1 for every factor whose probability is wanted.
 * @param factorise  encloses the factors at the working precision.
 */
export function inclusionOfFactors<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  k: number,
  wanted: Uint8Array,
  factorise: () => Factors,
): Value[] {
  return roundCorrectly(enclosures, rounding, wanted, (pending, settle) => {
    const factors = factorise();
    const tree = new ProductTree(enclosures, factors, k);
    const value = enclosures.allocate(1);
    tree.visitOutside(unitWeights(enclosures, k - 1), k, 1, pending, (i, outside) => {
      // The coefficient of X is 1 above the centre and the ratio elsewhere.
      if (factors.position[i] === 1) enclosures.multiply(value, outside, ratio(factors, i));
      else enclosures.copy(value, outside);
      enclosures.divide(value, value, tree.coefficient(k));
      settle(i, value);
    });
  });
}

/** @param k  1 <= k <= number of entries. */
export function inclusionProbabilities<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  k: number,
  wanted: Uint8Array,
): Value[] {
  return inclusionOfFactors(enclosures, rounding, k, wanted, () => centredFactors(enclosures, row, k, null));
}
