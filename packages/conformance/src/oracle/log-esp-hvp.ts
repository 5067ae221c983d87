/**
 * The Hessian of log sigma_k times a vector, the covariance of the k-subset distribution:
 *   (H v)_i = Cov([i in A], S) = pi_i (1 - pi_i) (E[S | i in A] - E[S | i not in A]),  S = sum over l in A of v_l.
 *
 * With factors (1 + epsilon v_i) e_i the products carry sum over A of S(A) prod_A e as their tangents, so that with D
 * the product of the other factors and r_i its own ratio
 *   (H v)_i = r_i (v_i D_{k-1} D_k + D'_{k-1} D_k - D'_k D_{k-1}) / P_k^2,
 * on either side of the centre: the factor pi_i (1 - pi_i) is never the result of a subtraction.
 */
import { centredFactors, ratio } from "./centred-factors.ts";
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosures } from "./enclosures.ts";
import { unitWeights } from "./inclusion-probabilities.ts";
import { ProductTree } from "./product-tree.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";

/**
 * @param k  1 <= k <= number of entries.
 * @param v  one double per entry of the row.
 */
export function logEspHvp<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  k: number,
  v: Float64Array,
  wanted: Uint8Array,
): Value[] {
  const count = row.x.length;
  return roundCorrectly(enclosures, rounding, wanted, (pending, settle) => {
    // H times a constant is 0: subtracting v_0 makes a constant v an exact zero.
    const shifted = enclosures.allocate(count);
    const base = enclosures.allocate(1);
    enclosures.setDouble(base, v[0]);
    const factors = centredFactors(enclosures, row, k, null);
    const tangents = enclosures.allocate(2 * count);
    for (let i = 0; i < count; i++) {
      enclosures.setDouble(shifted + i, v[i]);
      enclosures.subtract(shifted + i, shifted + i, base);
      enclosures.setDouble(tangents + 2 * i, 0);
      enclosures.multiply(tangents + 2 * i + 1, shifted + i, factors.first + 2 * i + 1);
    }
    const tree = new ProductTree(enclosures, factors, k, tangents);
    const value = enclosures.allocate(2);
    tree.visitOutside(unitWeights(enclosures, k), k + 1, 2, pending, (i, outside, tangent) => {
      const [with_, without] = [outside + 1, outside];
      enclosures.multiply(value, shifted + i, with_);
      enclosures.add(value, value, tangent + 1);
      enclosures.multiply(value, value, without);
      enclosures.multiply(value + 1, tangent, with_);
      enclosures.subtract(value, value, value + 1);
      enclosures.multiply(value, value, ratio(factors, i));
      enclosures.divide(value, value, tree.coefficient(k));
      enclosures.divide(value, value, tree.coefficient(k));
      settle(i, value);
    });
  });
}
