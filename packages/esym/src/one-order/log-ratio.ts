/**
 * The log-ratio log sigma_k - log sigma_{k-1} of one row, ready for its gradient.
 *
 * With m entries, sigma_k(e) = prod e sigma_{m-k}(1 / e): the ratio of orders k and k - 1 is the inverse of that of orders
 * k' = m - k + 1 and k' - 1 of the inverse entries, and its gradient is the same. Orders above m / 2 are computed so: fewer
 * products, and less rounding, down to k = m, where the ratio is 1 / sum of 1 / e_i.
 */
import { type CentredRow, factorise, sharedRow } from "./centred-row.ts";
import type { ExponentialScale } from "../numbers/exponential.ts";

export interface LogRatio {
  /** log sigma_k - log sigma_{k-1} = log(ratio) + centre / T. */
  readonly ratio: number;
  readonly centre: number;
  /** Its leaveOneOut with a ratio weight of 1 is the gradient of the log-ratio in x / T. */
  readonly row: CentredRow;
}

/**
 * @param x  the row, n entries, -Infinity where one is removed; overwritten.
 * @param k  1 <= k <= n.
 * @returns null where fewer than k entries are left (sigma_k = 0). The row is shared: use it before the next call.
 */
export function logRatio(x: Float64Array, n: number, k: number, scale: ExponentialScale): LogRatio | null {
  if (2 * k > n + 1) {
    let m = 0;
    for (let i = 0; i < n; i++) if (x[i] > -Infinity) m++;
    if (m < k) return null;
    const complement = m - k + 1;
    if (complement < k) {
      for (let i = 0; i < n; i++) if (x[i] > -Infinity) x[i] = -x[i];
      const row = sharedRow(n, complement);
      factorise(row, x, scale);
      return { ratio: row.full[complement - 1] / row.full[complement], centre: -row.centre, row };
    }
  }
  const row = sharedRow(n, k);
  return factorise(row, x, scale) ? { ratio: row.full[k] / row.full[k - 1], centre: row.centre, row } : null;
}
