/**
 * Rows that are split over threads or machines: a partial from each shard, merged by any reduce, and gradients back
 * in each shard from the partial of all the others.
 */
import type { NdArray } from "ndarray";
import {
  type ArrayLike2d,
  checkExponents,
  checkFinite,
  checkLogValues,
  checkOrder,
  checkShape,
  copyRow,
  type Rows,
  rowsOf,
  wrap,
} from "./border.ts";
import { checkPartial, type EspPartial, partialOfRow } from "./partials.ts";
import { vjpOfShard } from "./all-orders/vector-jacobian-product.ts";

function shardOf(caller: string, x: ArrayLike2d, k: number): { rows: Rows; row: Float64Array } {
  const rows = rowsOf(caller, "x", x);
  if (!rows.isVector) {
    throw new RangeError(`${caller}: x has shape [${rows.batch}, ${rows.n}], expected a vector: one row's shard`);
  }
  checkLogValues(caller, "x", rows);
  checkExponents(caller, "x", rows, k);
  const row = new Float64Array(rows.n);
  copyRow(rows, 0, row);
  return { rows, row };
}

/**
 * The partial result of one shard of a row: its truncated polynomial prod_i (1 + exp(x_i) X) mod X^(k+1).
 *
 * @param x  log-values of the shard, shape [m], m >= 0; -Infinity removes an entry. Not mutated.
 * @param k  highest order, >= 0; may exceed m.
 * @throws RangeError or TypeError naming the argument, the index and the value; entries beyond 2^52 / k in size are refused.
 *
 * O(mk + k^2) time. Finish with {@link logEspOfPartial}.
 *
 * @example
 * ```ts
 * import { espPartial, logEspOfPartial } from "@smooth-topk/esym";
 *
 * console.log(logEspOfPartial(espPartial([0, 0, 0], 2))); // 0, 1.0986, 1.0986
 * ```
 */
export function espPartial(x: ArrayLike2d, k: number): EspPartial {
  checkOrder("espPartial", k, Infinity, 0, 0);
  const { row } = shardOf("espPartial", x, k);
  return partialOfRow(row, row.length, k);
}

/**
 * Vector-Jacobian product of (log sigma_0, ..., log sigma_k) of a whole row in the entries of one shard.
 *
 * @param x          log-values of the shard, shape [m]. Not mutated.
 * @param cotangent  finite, shape [k + 1]; e_k = (0, ..., 0, 1) gives inclusion probabilities.
 * @param outside    the merged partial of all other shards, of order k.
 * @returns          shape [m].
 * @throws RangeError or TypeError naming the argument, the index and the value; entries beyond 2^52 / k in size are refused.
 *
 * Error at most 64 k u sum_j |cotangent_j| pi_i^(j). O(mk + k^2) time.
 *
 * @example
 * ```ts
 * import { emptyPartial, logEspVjpOfShard } from "@smooth-topk/esym";
 *
 * console.log(logEspVjpOfShard([1, 0], [0, 1], emptyPartial(1))); // with no other shard, the softmax: 0.7311, 0.2689
 * ```
 */
export function logEspVjpOfShard(x: ArrayLike2d, cotangent: ArrayLike2d, outside: EspPartial): NdArray<Float64Array> {
  const caller = "logEspVjpOfShard";
  checkPartial(caller, "outside", outside);
  const { k } = outside;
  const { rows, row } = shardOf(caller, x, k);
  const cotangents = rowsOf(caller, "cotangent", cotangent);
  checkShape(caller, "cotangent", cotangents, 1, k + 1);
  checkFinite(caller, "cotangent", cotangents);
  const v = new Float64Array(k + 1);
  copyRow(cotangents, 0, v);
  const out = new Float64Array(rows.n);
  vjpOfShard(row, k, v, outside, out, 0);
  return wrap(out, rows, rows.n);
}
