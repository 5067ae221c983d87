/**
 * The log-ratio log sigma_k - log sigma_{k-1} of one row and its gradient.
 *
 * With m entries, sigma_k(e) = prod e sigma_{m-k}(1 / e): the ratio of orders k and k - 1 is the inverse of that of orders
 * k' = m - k + 1 and k' - 1 of the inverse entries, and its gradient is the same. Orders above m / 2 are computed so: fewer
 * products, and less rounding, down to k = m, where the ratio is 1 / sum of 1 / e_i. Order 1 is a log-sum-exp.
 */
import { type CentredRow, centredRow, factorise, multiplyAllPrecisely } from "./centred-row.ts";
import type { ExponentialScale } from "../numbers/exponential.ts";
import { leaveOneOut } from "./leave-one-out.ts";
import { factoriseLightAndHeavy, type LightAndHeavy, lightAndHeavy, lightAndHeavyGradient } from "./light-and-heavy.ts";
import { exponentialsBelowLargest, sumOfTerms } from "./log-sum-exp.ts";

/** What one row after another is computed in. Nothing in it outlives a row: any number of them may be in use. */
export interface LogRatioWorkspace {
  readonly n: number;
  readonly k: number;
  /** Set by {@link logRatio}: log sigma_k - log sigma_{k-1} = log(ratio) + centre / T. */
  ratio: number;
  centre: number;
  /** The order that was used of the last row: k, or that of the inverse entries. */
  order: number;
  /** Whether the last row was taken by light and heavy entries, or by products. */
  light: boolean;
  readonly lightAndHeavy: LightAndHeavy;
  /** Made for the first row that needs products. */
  row: CentredRow | null;
}

/** A workspace for rows of n entries at order k, 1 <= k <= n. */
export function logRatioWorkspace(n: number, k: number): LogRatioWorkspace {
  return { n, k, ratio: 1, centre: 0, order: k, light: false, lightAndHeavy: lightAndHeavy(n, k), row: null };
}

/**
 * Finds the log-ratio of one row, and what its gradient needs.
 *
 * @param x  the row, -Infinity where an entry is removed; overwritten.
 * @returns false where fewer than k entries are left (sigma_k = 0); ratio and centre are then unchanged.
 */
export function logRatio(work: LogRatioWorkspace, x: Float64Array, scale: ExponentialScale): boolean {
  const { n, k } = work;
  work.order = k;
  if (k === 1) {
    const { e } = work.lightAndHeavy;
    const centre = exponentialsBelowLargest(x, n, scale, e);
    if (centre === -Infinity) return false;
    work.ratio = sumOfTerms(e, n);
    work.centre = centre;
    return true;
  }
  if (2 * k > n + 1) {
    let m = 0;
    for (let i = 0; i < n; i++) if (x[i] > -Infinity) m++;
    if (m < k) return false;
    if (m - k + 1 < k) {
      work.order = m - k + 1;
      for (let i = 0; i < n; i++) if (x[i] > -Infinity) x[i] = -x[i];
      if (!atOrder(work, x, scale)) return false;
      work.ratio = 1 / work.ratio;
      work.centre = -work.centre;
      return true;
    }
  }
  return atOrder(work, x, scale);
}

function atOrder(work: LogRatioWorkspace, x: Float64Array, scale: ExponentialScale): boolean {
  const { n, order } = work;
  const { lightAndHeavy: split } = work;
  work.light = factoriseLightAndHeavy(split, x, order, scale);
  if (work.light) {
    work.ratio = split.unit * (split.top[0] / split.top[1]);
    work.centre = split.split.centre;
    return true;
  }
  const row = (work.row ??= centredRow(n, work.k));
  row.k = order;
  if (!factorise(row, x, scale)) return false;
  multiplyAllPrecisely(row);
  work.ratio = row.full[order] / row.full[order - 1];
  work.centre = row.centre;
  return true;
}

/**
 * out[offset + i] = step times the derivative of the log-ratio last found in x_i / T, 0 for removed entries. Once a row:
 * the workspace is used up by it.
 */
export function logRatioGradient(work: LogRatioWorkspace, step: number, out: Float64Array, offset: number): void {
  if (work.k === 1) {
    const { e } = work.lightAndHeavy;
    const factor = step / work.ratio;
    for (let i = 0; i < work.n; i++) out[offset + i] = factor * e[i];
  } else if (work.light) lightAndHeavyGradient(work.lightAndHeavy, work.order, 0, step, out, offset);
  else if (work.row !== null) leaveOneOut(work.row, 0, step, out, offset);
}
