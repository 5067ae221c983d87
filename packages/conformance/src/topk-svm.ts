/**
 * The hard top-k SVM l = max(0, M), M = alpha + (c - s_y) / k, c the k-th largest score of the other classes, and the
 * subgradient that the smooth gradient tends to as tau -> 0: where M > 0, -1/k at the label and 1/k shared equally
 * between the classes tied at c; 0 elsewhere, the kink included.
 */
import { roundCorrectly } from "./correct-rounding.ts";
import type { Enclosures } from "./enclosures.ts";
import type { Row } from "./row.ts";
import { encloseMargin } from "./smooth-topk-svm.ts";

/**
 * @param row  the other classes' scores, at least k of them.
 * @returns the loss, dl/ds_y, then one subgradient entry per class of the row.
 */
export function topkSvm(enclosures: Enclosures, row: Row, labelScore: number, k: number, alpha: number): Float64Array {
  const { x, sorted } = row;
  const centre = sorted[k - 1];
  const values = new Float64Array(2 + x.length);
  // The sign is settled apart: a positive loss may round to 0. At 4096 bits M is known exactly, or to a division.
  const [loss, isPositive] = roundCorrectly(enclosures, Uint8Array.of(1, 1), (_, settle) => {
    const margin = enclosures.allocate(2);
    encloseMargin(enclosures, margin, alpha, k, centre, labelScore);
    const sign = enclosures.sign(margin);
    if (sign !== undefined) {
      enclosures.setDouble(margin + 1, Math.max(0, sign));
      settle(1, margin + 1);
    }
    enclosures.positivePart(margin, margin);
    settle(0, margin);
  });
  values[0] = loss;
  if (isPositive === 0) return values;
  const ties = x.reduce((count, s) => count + (s === centre ? 1 : 0), 0);
  values[1] = -1 / k;
  x.forEach((s, i) => {
    // k ties is an integer, so the quotient is rounded once.
    if (s === centre) values[2 + i] = 1 / (k * ties);
  });
  return values;
}
