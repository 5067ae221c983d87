/**
 * Vector-Jacobian products of log sigma_0..log sigma_k, all orders at once.
 */
import type { NdArray } from "ndarray";
import { vjpOfShard } from "./all-orders/vector-jacobian-product.ts";
import {
  type ArrayLike2d,
  checkedRows,
  checkExponents,
  checkFinite,
  checkShape,
  copyRow,
  rowsOf,
  wrap,
} from "./border.ts";
import { emptyPartial } from "./partials.ts";

/**
 * Vector-Jacobian product of x -> (log sigma_0, ..., log sigma_k):
 * out_i = sum_j cotangent_j d log sigma_j / d x_i = sum_j cotangent_j pi_i^(j).
 *
 * @param x          log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k          highest order, 0 <= k <= n.
 * @param cotangent  finite, shape [k + 1] or [batch, k + 1]. Orders with sigma_j = 0 contribute nothing.
 * @returns          the shape of x.
 * @throws RangeError or TypeError naming the argument, the index and the value; entries beyond 2^52 / k in size are refused.
 *
 * Error of out_i at most 64 k u sum_j |cotangent_j| pi_i^(j): each term is right to 64 k u, and cotangents of both
 * signs may cancel. For log sigma_k - log sigma_{k-1} use {@link logEspRatio}, which does not cancel. O(nk) time.
 *
 * @example
 * ```ts
 * import { logEspVjp } from "@smooth-topk/esym";
 *
 * console.log(logEspVjp([2, 1, 0], 2, [0, 1, 1])); // softmax plus inclusion probabilities: 1.5752, 1, 0.4248
 * ```
 */
export function logEspVjp(x: ArrayLike2d, k: number, cotangent: ArrayLike2d): NdArray<Float64Array> {
  const caller = "logEspVjp";
  const rows = checkedRows(caller, x, k, 0);
  checkExponents(caller, "x", rows, k);
  const cotangents = rowsOf(caller, "cotangent", cotangent);
  checkShape(caller, "cotangent", cotangents, rows.batch, k + 1);
  checkFinite(caller, "cotangent", cotangents);
  const out = new Float64Array(rows.batch * rows.n);
  const row = new Float64Array(rows.n);
  const v = new Float64Array(k + 1);
  const outside = emptyPartial(k);
  for (let b = 0; b < rows.batch; b++) {
    copyRow(rows, b, row);
    copyRow(cotangents, b, v);
    vjpOfShard(row, k, v, outside, out, b * rows.n);
  }
  return wrap(out, rows, rows.n);
}
