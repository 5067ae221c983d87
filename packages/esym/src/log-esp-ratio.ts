/**
 * The log-ratio of neighbouring orders, log sigma_k - log sigma_{k-1}: all that the losses need of a device.
 */
import ndarray, { type NdArray } from "ndarray";
import {
  type ArrayLike2d,
  type CheckedRows,
  checkedRows,
  checkOptions,
  copyRow,
  describe,
  type Rows,
  wrap,
} from "./border.ts";
import type { DoubleDouble } from "./numbers/double-double.ts";
import { exponentialScale, UNIT_SCALE } from "./numbers/exponential.ts";
import { logRatio, logRatioGradient, logRatioWorkspace } from "./one-order/log-ratio.ts";

/**
 * What a row's gradient is multiplied by, from the two parts of its log-ratio, log(ratio) + centre / T. Where
 * sigma_k = 0 it is asked with ratio 0 and centre 0. It is called once per row, after the row's forward pass, and its
 * answer depends on its arguments alone. A weight of 0 makes the row's gradient 0, whatever the row.
 */
export type RowWeight = (row: number, ratio: number, centre: number) => number;

export interface LogEspRatioOptions {
  /** T as an unevaluated sum hi + lo, 1e-280 <= T <= 1e280: a product k tau of doubles is not a double. Default [1, 0]. */
  readonly temperature?: readonly [hi: number, lo: number] | undefined;
  /** One entry per row that is left out as if it were -Infinity, -1 for none; shape [batch]. Default none. */
  readonly leftOut?: ArrayLike<number> | undefined;
  /** Default 1 for every row. */
  readonly rowWeight?: RowWeight | undefined;
  /** False for the values alone: the result has no `grad`, and the weights are not asked for. Default true. */
  readonly gradient?: boolean | undefined;
  /** The caller's memory for the gradient, row-major, of length batch n; the result's `grad` is a view of it. */
  readonly out?: { readonly grad?: Float64Array | Float32Array | undefined } | undefined;
}

/** A log-ratio per row, shape [batch] each, [1] for a vector. */
export interface Ratio {
  /** log sigma_k - log sigma_{k-1} = log(ratio) + centre / T; -Infinity where sigma_k = 0. */
  readonly value: NdArray<Float64Array>;
  /** sigma_k / sigma_{k-1} of the entries about the centre; 0 where sigma_k = 0. */
  readonly ratio: NdArray<Float64Array>;
  /** What was subtracted from the entries, in their own unit; 0 where sigma_k = 0. */
  readonly centre: NdArray<Float64Array>;
}

/** A log-ratio per row and its gradient in x / T. */
export interface RatioAndGrad extends Ratio {
  /** The shape and the precision of x. Each row sums to 1, times its weight. */
  readonly grad: NdArray<Float64Array | Float32Array>;
}

const OPTIONS = ["temperature", "leftOut", "rowWeight", "gradient", "out"] as const;

/** The checked arguments of a log-ratio. */
export interface RatioArguments {
  readonly rows: Rows;
  readonly temperature: DoubleDouble;
  /** One entry per row, -1 for none; null for none anywhere. */
  readonly leftOut: ArrayLike<number> | null;
  readonly rowWeight: RowWeight | null;
  /** Where the gradient goes, or null if none is wanted. */
  readonly grad: Float64Array | Float32Array | null;
}

/**
 * Checks the arguments of a log-ratio: the border of every backend's `logEspRatio`.
 *
 * @param precision  of the gradient where no buffer is given; that of x by default.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 */
export function ratioArguments(
  caller: string,
  x: ArrayLike2d | CheckedRows,
  k: number,
  options: LogEspRatioOptions,
  precision?: "float32" | "float64",
): RatioArguments {
  checkOptions(caller, options, OPTIONS);
  const { temperature = [1, 0], leftOut, rowWeight = null, gradient = true, out } = options;
  checkTemperature(caller, temperature);
  if (rowWeight !== null && typeof rowWeight !== "function") {
    throw new TypeError(`${caller}: rowWeight is ${describe(rowWeight)}, expected a function`);
  }
  if (typeof gradient !== "boolean") {
    throw new TypeError(`${caller}: gradient is ${describe(gradient)}, expected true or false`);
  }
  const rows = checkedRows(caller, x, k, 1);
  checkLeftOut(caller, leftOut, rows);
  const size = rows.batch * rows.n;
  const given = gradientBuffer(caller, out, size);
  const single = (precision ?? rows.dtype) === "float32";
  const grad = gradient ? (given ?? (single ? new Float32Array(size) : new Float64Array(size))) : null;
  return { rows, temperature, leftOut: leftOut ?? null, rowWeight, grad };
}

function checkTemperature(caller: string, temperature: readonly [number, number]): void {
  if (!Array.isArray(temperature)) {
    throw new TypeError(`${caller}: temperature is ${describe(temperature)}, expected a pair of numbers`);
  }
  const [hi, lo]: readonly number[] = temperature;
  if (!(typeof hi === "number" && hi >= 1e-280 && hi <= 1e280)) {
    throw new RangeError(`${caller}: temperature[0] is ${describe(hi)}, expected a number from 1e-280 to 1e280`);
  }
  if (!(typeof lo === "number" && hi + lo === hi)) {
    throw new RangeError(
      `${caller}: temperature[1] is ${describe(lo)}, expected less than a rounding of temperature[0]`,
    );
  }
}

function checkLeftOut(caller: string, leftOut: ArrayLike<number> | undefined, { batch, n }: Rows): void {
  if (leftOut === undefined) return;
  if (leftOut?.length !== batch) {
    throw new RangeError(`${caller}: leftOut has length ${leftOut?.length}, expected one for each of ${batch} rows`);
  }
  for (let b = 0; b < batch; b++) {
    const i = leftOut[b];
    if (!(Number.isInteger(i) && i >= -1 && i < n)) {
      throw new RangeError(`${caller}: leftOut[${b}] is ${describe(i)}, expected an integer in [-1, ${n - 1}]`);
    }
  }
}

function gradientBuffer(
  caller: string,
  out: LogEspRatioOptions["out"],
  size: number,
): Float64Array | Float32Array | null {
  if (out === undefined) return null;
  checkOptions(`${caller}: out`, out, ["grad"]);
  const { grad } = out;
  if (grad === undefined) return null;
  if ((grad instanceof Float64Array || grad instanceof Float32Array) && grad.length === size) return grad;
  const found = ArrayBuffer.isView(grad) ? `a ${grad.constructor.name} of length ${grad.length}` : describe(grad);
  throw new RangeError(`${caller}: out.grad is ${found}, expected a Float64Array or Float32Array of length ${size}`);
}

/**
 * The log-ratio of the elementary symmetric polynomials of exp(x / T) of orders k and k - 1, and its gradient: what a
 * smooth loss is made of. Do not subtract two results of `logEsp` or of `inclusionProbabilities` instead: they cancel.
 *
 *     value = log sigma_k - log sigma_{k-1} = log(ratio) + centre / T
 *     grad_i = pi_i^(k) - pi_i^(k-1) = e_i (d_{k-1}^2 - d_{k-2} d_k) / (sigma_k sigma_{k-1}),
 *
 * e_i = exp(x_i / T), d the polynomials without entry i: every entry is positive, and they sum to 1.
 *
 * @param x        log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k        1 <= k <= n.
 * @param options  temperature, entries to leave out, weights of the rows' gradients, memory; all optional.
 * @returns value, ratio and centre per row, and the gradient in x / T in the precision of x. Where sigma_k = 0 (fewer
 *          than k entries are left) the value is -Infinity, the ratio 0 and the gradient NaN, unless its weight is 0.
 * @throws RangeError or TypeError naming the argument, the index and the value, before anything is computed.
 *
 * Error of the value at most 8 u max(1, |value|, |x_(k)| / T), x_(k) the k-th largest entry; every gradient entry above
 * 1e-280 has a relative error below 64 k u. O(nM + Hk) time with H heavy entries and M power sums,
 * hardly more for larger k (docs/algorithm.md, section 11); O(nk) where products are cheaper.
 *
 * @example
 * ```ts
 * import { logEspRatio } from "@smooth-topk/esym";
 *
 * const { value, grad } = logEspRatio([2, 1, 0, -1], 2);
 * console.log(value); // log sigma_2 - log sigma_1: 1.0943
 * console.log(grad); // sums to 1: 0.2369, 0.4575, 0.2184, 0.0871
 * ```
 */
export function logEspRatio(
  x: ArrayLike2d | CheckedRows,
  k: number,
  options: LogEspRatioOptions & { readonly gradient: false },
): Ratio;
export function logEspRatio(x: ArrayLike2d | CheckedRows, k: number, options?: LogEspRatioOptions): RatioAndGrad;
export function logEspRatio(
  x: ArrayLike2d | CheckedRows,
  k: number,
  options: LogEspRatioOptions = {},
): Ratio | RatioAndGrad {
  const { rows, temperature, leftOut, rowWeight, grad } = ratioArguments("logEspRatio", x, k, options);
  const { batch, n } = rows;
  const [hi, lo] = temperature;
  const scale = hi === 1 && lo === 0 ? UNIT_SCALE : exponentialScale(temperature);
  const value = new Float64Array(batch);
  const ratio = new Float64Array(batch);
  const centre = new Float64Array(batch);
  const row = new Float64Array(n);
  const work = logRatioWorkspace(n, k);
  // The kernel writes doubles: a single-precision gradient is rounded row by row.
  const wide = grad instanceof Float32Array ? new Float64Array(n) : grad;
  for (let b = 0; b < batch; b++) {
    copyRow(rows, b, row);
    if (leftOut !== null && leftOut[b] >= 0) row[leftOut[b]] = -Infinity;
    const found = logRatio(work, row, scale);
    if (found) {
      ratio[b] = work.ratio;
      centre[b] = work.centre;
    }
    value[b] = Math.log(ratio[b]) + centre[b] / hi;
    if (grad === null || wide === null) continue;
    const weight = rowWeight === null ? 1 : rowWeight(b, ratio[b], centre[b]);
    if (weight === 0) grad.fill(0, b * n, (b + 1) * n);
    else if (!found) grad.fill(NaN, b * n, (b + 1) * n);
    else if (wide === grad) logRatioGradient(work, weight, wide, b * n);
    else {
      logRatioGradient(work, weight, wide, 0);
      grad.set(wide, b * n);
    }
  }
  return ratioResult(rows, value, ratio, centre, grad);
}

/** The result of a log-ratio, without a gradient where none was wanted. */
export function ratioResult(
  rows: Rows,
  value: Float64Array,
  ratio: Float64Array,
  centre: Float64Array,
  grad: Float64Array | Float32Array | null,
): Ratio | RatioAndGrad {
  const { batch, n } = rows;
  const found = { value: ndarray(value, [batch]), ratio: ndarray(ratio, [batch]), centre: ndarray(centre, [batch]) };
  return grad === null ? found : { ...found, grad: wrap<Float64Array | Float32Array>(grad, rows, n) };
}
