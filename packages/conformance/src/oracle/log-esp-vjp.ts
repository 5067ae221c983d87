/**
 * The vector-Jacobian product of x -> (log sigma_0, ..., log sigma_k):
 *   g_i = sum over j of v_j pi_i^(j),  pi_i^(j) = f_i D_{j-1} / P_j,
 * D the product of the other factors and f_i the coefficient of X in factor i. The sum over j goes up the tree as one
 * vector of weights v_j / P_j.
 */
import { ratio } from "./centred-factors.ts";
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosures } from "./enclosures.ts";
import { forCentredProducts } from "./log-esp.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";

/** @param cotangent  v_0, v_1, ...; orders above the number of entries are ignored. */
export function logEspVjp<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  cotangent: ArrayLike<number>,
  wanted: Uint8Array,
): Value[] {
  const count = row.x.length;
  const orders: number[] = [];
  for (let j = 1; j < cotangent.length && j <= count; j++) if (cotangent[j] !== 0) orders.push(j);
  return roundCorrectly(enclosures, rounding, wanted, (pending, settle) => {
    const sums = enclosures.allocate(count);
    for (let i = 0; i < count; i++) enclosures.setDouble(sums + i, 0);
    forCentredProducts(enclosures, row, orders, (tree, factors, _, inRange) => {
      const highest = Math.max(...inRange);
      const weights = enclosures.allocate(highest + 1);
      const value = weights + highest;
      for (let b = 0; b < highest; b++) enclosures.setDouble(weights + b, 0);
      for (const j of inRange) {
        enclosures.setDouble(weights + j - 1, cotangent[j]);
        enclosures.divide(weights + j - 1, weights + j - 1, tree.coefficient(j));
      }
      tree.visitOutside(weights, highest, 1, pending, (i, outside) => {
        if (factors.position[i] === 1) enclosures.multiply(value, outside, ratio(factors, i));
        else enclosures.copy(value, outside);
        enclosures.add(sums + i, sums + i, value);
      });
    });
    for (let i = 0; i < count; i++) settle(i, sums + i);
  });
}
