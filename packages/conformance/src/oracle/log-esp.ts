/**
 * log sigma_j for all orders j at once.
 *
 * One product around the centre of the highest order serves every order whose coefficient stays within MPFR's range
 * of exponents; the others get a product around their own centre.
 */
import { centredFactors, type Factors } from "./centred-factors.ts";
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosure, Enclosures } from "./enclosures.ts";
import { ProductTree } from "./product-tree.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";

/** Half of MPFR's range: what underflowed beside a coefficient above this is at most 2^-(2^29) of it. */
const LEAST_EXPONENT = -(2 ** 29);

/**
 * Calls `visit` with as few products as cover all orders: in each, the given orders' coefficients are well scaled.
 *
 * @param orders  within [1, number of entries].
 */
export function forCentredProducts(
  enclosures: Enclosures,
  row: Row,
  orders: readonly number[],
  visit: (tree: ProductTree, factors: Factors, centre: number, orders: readonly number[]) => void,
): void {
  let left = orders;
  while (left.length > 0) {
    const mark = enclosures.mark();
    const highest = Math.max(...left);
    const factors = centredFactors(enclosures, row, highest, null);
    const tree = new ProductTree(enclosures, factors, highest);
    const isInRange = (j: number): boolean => {
      const low = enclosures.lower[tree.coefficient(j)];
      return enclosures.mpfr.mpfr_sgn(low) > 0 && enclosures.mpfr.mpfr_get_exp(low) > LEAST_EXPONENT;
    };
    visit(tree, factors, row.sorted[highest - 1], left.filter(isInRange));
    left = left.filter((j) => !isInRange(j));
    enclosures.release(mark);
  }
}

/** r = sum over the entries above the centre c of x_i + (j - their number) c. */
function unscaledExponent(
  enclosures: Enclosures,
  row: Row,
  factors: Factors,
  c: number,
  j: number,
  r: Enclosure,
): void {
  const mark = enclosures.mark();
  const term = enclosures.allocate(1);
  let heavy = 0;
  enclosures.setDouble(r, 0);
  for (let i = 0; i < factors.count; i++) {
    if (factors.position[i] === 1) continue;
    enclosures.setDouble(term, row.x[i]);
    enclosures.add(r, r, term);
    heavy++;
  }
  enclosures.setDouble(term, c);
  enclosures.scale(term, term, j - heavy);
  enclosures.add(r, r, term);
  enclosures.release(mark);
}

/** @returns shape [k + 1]. */
export function logEsp<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  k: number,
): Value[] {
  const m = row.x.length;
  return roundCorrectly(enclosures, rounding, new Uint8Array(k + 1).fill(1), (pending, settle) => {
    const value = enclosures.allocate(2);
    const orders: number[] = [];
    for (let j = 0; j <= k; j++) {
      if (pending[j] === 0) continue;
      if (j === 0) enclosures.setDouble(value, 0);
      else if (j > m) enclosures.setDouble(value, -Infinity);
      else {
        orders.push(j);
        continue;
      }
      settle(j, value);
    }
    forCentredProducts(enclosures, row, orders, (tree, factors, centre, inRange) => {
      for (const j of inRange) {
        enclosures.logarithm(value, tree.coefficient(j));
        unscaledExponent(enclosures, row, factors, centre, j, value + 1);
        enclosures.add(value, value, value + 1);
        settle(j, value);
      }
    });
  });
}
