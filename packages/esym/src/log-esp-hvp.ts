/**
 * Hessian-vector products of log sigma_k, of one order k.
 */
import type { NdArray } from "ndarray";
import { type ArrayLike2d, checkedRows, checkFinite, checkShape, copyRow, rowsOf, wrap } from "./border.ts";
import { hvpOfRow } from "./one-order/covariance.ts";

/**
 * Hessian-vector product of log sigma_k: the covariance matrix of the k-subset distribution times v,
 * out_i = sum_l Cov([i in A], [l in A]) v_l.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k  subset size, 0 <= k <= n.
 * @param v  finite, the shape of x. Values at removed entries do not count.
 * @returns  the shape of x; 0 for removed entries, NaN throughout a row with sigma_k = 0.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Error of out_i at most 64 k u pi_i (1 - pi_i) (max v - min v). O(nk) time.
 *
 * @example
 * ```ts
 * import { logEspHvp } from "@smooth-topk/esym";
 *
 * console.log(logEspHvp([2, 1, 0], 2, [1, 0, 0])); // covariances with entry 0: 0.0819, -0.022, -0.0599
 * ```
 */
export function logEspHvp(x: ArrayLike2d, k: number, v: ArrayLike2d): NdArray<Float64Array> {
  const caller = "logEspHvp";
  const rows = checkedRows(caller, x, k, 0);
  const vectors = rowsOf(caller, "v", v);
  checkShape(caller, "v", vectors, rows.batch, rows.n);
  checkFinite(caller, "v", vectors);
  const out = new Float64Array(rows.batch * rows.n);
  const row = new Float64Array(rows.n);
  const weights = new Float64Array(rows.n);
  for (let b = 0; b < rows.batch; b++) {
    copyRow(rows, b, row);
    copyRow(vectors, b, weights);
    hvpOfRow(row, k, weights, out, b * rows.n);
  }
  return wrap(out, rows, rows.n);
}
