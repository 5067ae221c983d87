/**
 * The hard top-k loss l = max(0, M), M = alpha + (c - s_y) / k, c the k-th largest score of the other classes, and the
 * subgradient that the smooth gradient tends to as tau -> 0: where M > 0, -1/k at the label and 1/k shared equally
 * between the classes tied at c; 0 elsewhere, the kink included.
 */
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosures } from "./enclosures.ts";
import type { Rounding } from "./rounding.ts";
import type { Row } from "./row.ts";
import { encloseMargin } from "./smooth-topk-loss.ts";

/**
 * @param row  the other classes' scores, at least k of them.
 * @returns the loss, dl/ds_y, then one subgradient entry per class of the row.
 */
export function topkLoss<Value>(
  enclosures: Enclosures,
  rounding: Rounding<Value, unknown>,
  row: Row,
  labelScore: number,
  k: number,
  alpha: number,
): Value[] {
  const { x, sorted } = row;
  const centre = sorted[k - 1];
  const values = new Array<Value>(2 + x.length).fill(rounding.exact(0));
  // The sign is settled apart: a positive loss may round to 0. At 4096 bits M is known exactly, or to a division.
  let isPositive = false;
  [values[0]] = roundCorrectly(enclosures, rounding, Uint8Array.of(1, 1), (_, settle) => {
    const margin = enclosures.allocate(2);
    encloseMargin(enclosures, margin, alpha, k, centre, labelScore);
    const sign = enclosures.sign(margin);
    if (sign !== undefined) {
      isPositive = sign > 0;
      enclosures.setDouble(margin + 1, sign);
      settle(1, margin + 1);
    }
    enclosures.positivePart(margin, margin);
    settle(0, margin);
  });
  if (!isPositive) return values;
  const ties = x.reduce((count, s) => count + (s === centre ? 1 : 0), 0);
  const [labelGrad, tiedGrad] = roundCorrectly(enclosures, rounding, Uint8Array.of(1, 1), (_, settle) => {
    const quotient = enclosures.allocate(2);
    [-k, k * ties].forEach((divisor, at) => {
      enclosures.setDouble(quotient, Math.sign(divisor));
      enclosures.setDouble(quotient + 1, Math.abs(divisor));
      enclosures.divide(quotient, quotient, quotient + 1);
      settle(at, quotient);
    });
  });
  values[1] = labelGrad;
  x.forEach((s, i) => {
    if (s === centre) values[2 + i] = tiedGrad;
  });
  return values;
}
