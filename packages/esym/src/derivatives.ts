/**
 * Derivatives of log sigma: inclusion probabilities, vector-Jacobian and Hessian-vector products, and the
 * log-ratio of neighbouring orders, which the smooth top-k loss is made of.
 */
import ndarray, { type NdArray } from "ndarray";
import {
  type ArrayLike2d,
  checkFinite,
  checkLogValues,
  checkOrder,
  checkShape,
  copyRow,
  type Rows,
  rowsOf,
  wrap,
} from "./border.ts";
import { factorise, sharedRow } from "./one-order/centred-row.ts";
import { UNIT_SCALE } from "./numbers/exponential.ts";
import { hvpOfRow } from "./one-order/covariance.ts";
import { leaveOneOut } from "./one-order/leave-one-out.ts";
import { logRatio } from "./one-order/log-ratio.ts";
import { emptyPartial } from "./partials.ts";
import { vjpOfShard } from "./all-orders/vector-jacobian-product.ts";

function checkedRows(caller: string, x: ArrayLike2d, k: number, lowest: 0 | 1): Rows {
  const rows = rowsOf(caller, "x", x);
  checkOrder(caller, k, rows.n, lowest, 0);
  checkLogValues(caller, "x", rows);
  return rows;
}

/**
 * Inclusion probabilities of the k-subset distribution, the gradient of log sigma_k:
 * pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)); sum_i pi_i = k.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k  subset size, 0 <= k <= n.
 * @returns  the shape of x; 0 for removed entries, NaN throughout a row with sigma_k = 0, which has no distribution.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Every entry above 1e-280 has a relative error below 64 k u (u = 2^-53). O(nk) time.
 */
export function inclusionProbabilities(x: ArrayLike2d, k: number): NdArray<Float64Array> {
  const rows = checkedRows("inclusionProbabilities", x, k, 0);
  const { batch, n } = rows;
  const out = new Float64Array(batch * n);
  if (k > 0) {
    const row = new Float64Array(n);
    for (let b = 0; b < batch; b++) {
      copyRow(rows, b, row);
      if (factorise(sharedRow(n, k), row, UNIT_SCALE)) leaveOneOut(sharedRow(n, k), 1, 0, out, b * n);
      else out.fill(NaN, b * n, (b + 1) * n);
    }
  }
  return wrap(out, rows, n);
}

/** A value per row and its gradient in x. */
export interface RatioAndGrad {
  /** Shape [batch], or [1] for a vector. */
  readonly value: NdArray<Float64Array>;
  /** The shape of x. */
  readonly grad: NdArray<Float64Array>;
}

/**
 * The log-ratio log sigma_k - log sigma_{k-1} of exp(x) and its gradient pi_i^(k) - pi_i^(k-1), evaluated as
 * e_i (d_{k-1}^2 - d_{k-2} d_k) / (sigma_k sigma_{k-1}), d the polynomials without entry i: positive, sum 1.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k  1 <= k <= n.
 * @returns  -Infinity with gradient NaN for a row with sigma_k = 0.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Error of the value at most 8 u max(1, |value|, |x_(k)|), x_(k) the k-th largest entry; every gradient entry above
 * 1e-280 has a relative error below 64 k u. O(nk) time.
 */
export function logEspRatio(x: ArrayLike2d, k: number): RatioAndGrad {
  const rows = checkedRows("logEspRatio", x, k, 1);
  const { batch, n } = rows;
  const value = new Float64Array(batch);
  const grad = new Float64Array(batch * n);
  const row = new Float64Array(n);
  for (let b = 0; b < batch; b++) {
    copyRow(rows, b, row);
    const found = logRatio(row, n, k, UNIT_SCALE);
    if (found === null) {
      value[b] = -Infinity;
      grad.fill(NaN, b * n, (b + 1) * n);
    } else {
      value[b] = found.centre + Math.log(found.ratio);
      leaveOneOut(found.row, 0, 1, grad, b * n);
    }
  }
  return { value: ndarray(value, [batch]), grad: wrap(grad, rows, n) };
}

/**
 * Vector-Jacobian product of x -> (log sigma_0, ..., log sigma_k):
 * out_i = sum_j cotangent_j d log sigma_j / d x_i = sum_j cotangent_j pi_i^(j).
 *
 * @param x          log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k          highest order, 0 <= k <= n.
 * @param cotangent  finite, shape [k + 1] or [batch, k + 1]. Orders with sigma_j = 0 contribute nothing.
 * @returns          the shape of x.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Error of out_i at most 64 k u sum_j |cotangent_j| pi_i^(j): each term is right to 64 k u, and cotangents of both
 * signs may cancel. For log sigma_k - log sigma_{k-1} use {@link logEspRatio}, which does not cancel. O(nk) time.
 */
export function logEspVjp(x: ArrayLike2d, k: number, cotangent: ArrayLike2d): NdArray<Float64Array> {
  const caller = "logEspVjp";
  const rows = checkedRows(caller, x, k, 0);
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
