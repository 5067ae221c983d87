/**
 * The smooth top-k loss: L = tau softplus(z), with c the k-th largest score of the other classes, P the product of
 * their factors centred there, q = log(P_k / P_{k-1}) and M = alpha + (c - s_y) / k,
 *   z = M / tau + q,
 *   L = M + tau (q + log(1 + e^-z)) = tau log(1 + e^z),
 *   dL/ds_y = -w / k,  dL/ds_i = (w / k) (pi_i^(k) - pi_i^(k-1)),  w = 1 / (1 + e^-z).
 * k tau is a product of doubles and M a sum: both are enclosed, not rounded.
 */
import { centredFactors } from "./centred-factors.ts";
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosure, Enclosures } from "./enclosures.ts";
import { visitRatioGradient } from "./log-esp-ratio.ts";
import { ProductTree } from "./product-tree.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";

/** r = alpha + (c - s_y) / k. */
export function encloseMargin(
  enclosures: Enclosures,
  r: Enclosure,
  alpha: number,
  k: number,
  centre: number,
  labelScore: number,
): void {
  const mark = enclosures.mark();
  const term = enclosures.allocate(1);
  // (k alpha + c - s_y) / k: one division, exact wherever the quotient has few enough bits.
  enclosures.setDouble(r, alpha);
  enclosures.scale(r, r, k);
  enclosures.setDouble(term, centre);
  enclosures.add(r, r, term);
  enclosures.setDouble(term, labelScore);
  enclosures.subtract(r, r, term);
  enclosures.setDouble(term, k);
  enclosures.divide(r, r, term);
  enclosures.release(mark);
}

/** r = tau softplus(z). */
function encloseLoss(
  enclosures: Enclosures,
  r: Enclosure,
  tau: Enclosure,
  margin: Enclosure,
  q: Enclosure,
  z: Enclosure,
): void {
  const { mpfr, lower } = enclosures;
  if (mpfr.mpfr_sgn(lower[z]) < 0) {
    enclosures.exponential(r, z);
    enclosures.logarithmOnePlus(r, r);
    enclosures.multiply(r, r, tau);
    return;
  }
  enclosures.negate(r, z);
  enclosures.exponential(r, r);
  enclosures.logarithmOnePlus(r, r);
  enclosures.add(r, r, q);
  enclosures.multiply(r, r, tau);
  enclosures.add(r, r, margin);
  // log(1 + e^-z) > 0 even where its enclosure is [0, tiny]: with q >= 0 the loss is above M, never at it. That decides
  // the rounding where M is a midpoint, as for s = (0, 1e16), alpha = 1 and the label at 0.
  if (enclosures.isExact(margin) && mpfr.mpfr_sgn(lower[q]) >= 0 && mpfr.mpfr_equal_p(lower[r], lower[margin]) !== 0) {
    enclosures.excludeLower(r);
  }
}

/**
 * @param row     the other classes' scores, at least k of them.
 * @param wanted  1 for every class of the row whose gradient is wanted.
 * @returns the loss, z, dL/ds_y, then one gradient entry per class of the row.
 */
export function smoothTopkLoss<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  labelScore: number,
  k: number,
  tau: number,
  alpha: number,
  wanted: Uint8Array,
): Value[] {
  const centre = row.sorted[k - 1];
  return roundCorrectly(enclosures, rounding, Uint8Array.of(1, 1, 1, ...wanted), (pending, settle) => {
    const first = enclosures.allocate(7);
    const [temperature, tauOnly, margin, q, z, value, weight] = Array.from({ length: 7 }, (_, i) => first + i);
    enclosures.setDouble(tauOnly, tau);
    enclosures.scale(temperature, tauOnly, k);
    const factors = centredFactors(enclosures, row, k, temperature);
    const tree = new ProductTree(enclosures, factors, k);

    encloseMargin(enclosures, margin, alpha, k, centre, labelScore);
    enclosures.divide(q, tree.coefficient(k), tree.coefficient(k - 1));
    enclosures.logarithm(q, q);
    enclosures.divide(z, margin, tauOnly);
    enclosures.add(z, z, q);
    settle(1, z);
    encloseLoss(enclosures, value, tauOnly, margin, q, z);
    settle(0, value);

    // w / k = 1 / (k (1 + e^-z))
    enclosures.negate(weight, z);
    enclosures.exponential(weight, weight);
    enclosures.setDouble(value, 1);
    enclosures.add(weight, weight, value);
    enclosures.scale(weight, weight, k);
    enclosures.divide(weight, value, weight);
    enclosures.negate(value, weight);
    settle(2, value);
    visitRatioGradient(enclosures, tree, factors, k, pending.subarray(3), (i, entry) => {
      enclosures.multiply(value, entry, weight);
      settle(3 + i, value);
    });
  });
}
