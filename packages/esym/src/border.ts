/**
 * The border of the package: arrays of every accepted kind become rows of doubles, checked before any computation.
 *
 * Errors name the calling function, the argument, the index and the value.
 */
import ndarray, { type NdArray } from "ndarray";

/** A vector of length n or a matrix [batch, n]; ndarrays with any strides. Never mutated. */
export type ArrayLike2d = NdArray | Float64Array | Float32Array | readonly number[] | readonly (readonly number[])[];

/** The precision an array came in. */
export type Dtype = "float64" | "float32";

/** Rows of doubles in somebody's memory. */
export interface Rows {
  readonly data: Float64Array | Float32Array;
  readonly offset: number;
  readonly batch: number;
  readonly n: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** True if the argument was a vector: results drop the batch dimension. */
  readonly isVector: boolean;
  readonly dtype: Dtype;
}

/**
 * Rows that passed a border: taken wherever an array is, and not checked again. A package that checks its arguments by
 * its own names hands them on as these.
 */
export class CheckedRows implements Rows {
  /** What tells them, not their class: a backend may hold another copy of this package than a loss. */
  readonly passedBorder: true = true;
  readonly data: Rows["data"];
  readonly offset: number;
  readonly batch: number;
  readonly n: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly isVector: boolean;
  readonly dtype: Dtype;

  /** @param rows  without NaN and +Infinity. */
  constructor(rows: Rows) {
    this.data = rows.data;
    this.offset = rows.offset;
    this.batch = rows.batch;
    this.n = rows.n;
    this.rowStride = rows.rowStride;
    this.columnStride = rows.columnStride;
    this.isVector = rows.isVector;
    this.dtype = rows.dtype;
  }
}

function isChecked(input: unknown): input is CheckedRows {
  return typeof input === "object" && input !== null && "passedBorder" in input;
}

function isNdArray(input: unknown): input is NdArray {
  return typeof input === "object" && input !== null && "shape" in input && "stride" in input && "data" in input;
}

/** Describes a value in an error message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return `a ${value.constructor?.name ?? "null-prototype"} object`;
  return String(value);
}

/**
 * Views an argument as rows; number[][] is copied, everything else is not.
 *
 * @throws TypeError if it is not an array of one or two dimensions, RangeError if its rows differ in length.
 */
export function rowsOf(caller: string, argument: string, input: ArrayLike2d | CheckedRows): Rows {
  if (isChecked(input)) return input;
  if (input instanceof Float64Array || input instanceof Float32Array) return vector(input, dtypeOf(input));
  if (Array.isArray(input)) {
    if (!Array.isArray(input[0])) {
      checkNumbers(caller, argument, input as number[]);
      return vector(Float64Array.from(input as number[]), "float64");
    }
    return matrix(caller, argument, input as number[][]);
  }
  if (!isNdArray(input)) {
    throw new TypeError(
      `${caller}: ${argument} is ${describe(input)}, expected an ndarray, Float64Array, Float32Array, number[] or number[][]`,
    );
  }
  const { shape, stride } = input;
  if (shape.length !== 1 && shape.length !== 2) {
    throw new TypeError(`${caller}: ${argument} has shape [${shape.join(", ")}], expected [n] or [batch, n]`);
  }
  const isVector = shape.length === 1;
  const [batch, n] = isVector ? [1, shape[0]] : shape;
  const { data } = input;
  if (data instanceof Float64Array || data instanceof Float32Array) {
    const [rowStride, columnStride] = isVector ? [0, stride[0]] : stride;
    return { data, offset: input.offset, batch, n, rowStride, columnStride, isVector, dtype: dtypeOf(data) };
  }
  const copy = checkedCopy(caller, argument, input, batch, n);
  return { data: copy, offset: 0, batch, n, rowStride: n, columnStride: 1, isVector, dtype: "float64" };
}

function dtypeOf(data: unknown): Dtype {
  return data instanceof Float32Array ? "float32" : "float64";
}

function vector(data: Float64Array | Float32Array, dtype: Dtype): Rows {
  return { data, offset: 0, batch: 1, n: data.length, rowStride: 0, columnStride: 1, isVector: true, dtype };
}

/** The elements of an ndarray over any other storage, each of which must be a number: nothing is taken for one. */
function checkedCopy(caller: string, argument: string, array: NdArray, batch: number, n: number): Float64Array {
  const isVector = array.shape.length === 1;
  const out = new Float64Array(batch * n);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < n; i++) {
      const value: unknown = isVector ? array.get(i) : array.get(b, i);
      if (typeof value !== "number") {
        const at = isVector ? `${argument}[${i}]` : `${argument}[${b}, ${i}]`;
        throw new TypeError(`${caller}: ${at} is ${describe(value)}, expected a number`);
      }
      out[b * n + i] = value;
    }
  }
  return out;
}

function matrix(caller: string, argument: string, input: number[][]): Rows {
  const batch = input.length;
  const n = input[0].length;
  const data = new Float64Array(batch * n);
  for (let b = 0; b < batch; b++) {
    if (!Array.isArray(input[b]) || input[b].length !== n) {
      const found = Array.isArray(input[b]) ? `has length ${input[b].length}` : `is ${describe(input[b])}`;
      throw new RangeError(`${caller}: ${argument}[${b}] ${found}, expected the length of row 0, ${n}`);
    }
    checkNumbers(caller, `${argument}[${b}]`, input[b]);
    data.set(input[b], b * n);
  }
  return { data, offset: 0, batch, n, rowStride: n, columnStride: 1, isVector: false, dtype: "float64" };
}

function checkNumbers(caller: string, argument: string, values: readonly unknown[]): void {
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== "number") {
      throw new TypeError(`${caller}: ${argument}[${i}] is ${describe(values[i])}, expected a number`);
    }
  }
}

/** Copies row b into out[0..n). */
export function copyRow(rows: Rows, b: number, out: Float64Array): void {
  const { data, n, columnStride } = rows;
  const start = rows.offset + b * rows.rowStride;
  if (columnStride === 1) {
    out.set(data.subarray(start, start + n));
    return;
  }
  for (let i = 0; i < n; i++) out[i] = data[start + i * columnStride];
}

/** `argument[i]` of a vector, `argument[b, i]` of a matrix. */
export function element(argument: string, rows: Rows, b: number, i: number): string {
  return rows.isVector ? `${argument}[${i}]` : `${argument}[${b}, ${i}]`;
}

/**
 * Refuses NaN and +Infinity anywhere in the rows.
 *
 * @param counts  whether a row is looked at; default all are.
 * @throws RangeError naming the element and its value.
 */
export function checkLogValues(caller: string, argument: string, rows: Rows, counts?: (row: number) => boolean): void {
  if (isChecked(rows)) return;
  const { data, batch, n, columnStride } = rows;
  for (let b = 0; b < batch; b++) {
    if (counts !== undefined && !counts(b)) continue;
    let at = rows.offset + b * rows.rowStride;
    for (let i = 0; i < n; i++, at += columnStride) {
      if (data[at] < Infinity) continue;
      const where = element(argument, rows, b, i);
      throw new RangeError(`${caller}: ${where} is ${data[at]}, expected a finite number or -Infinity`);
    }
  }
}

/**
 * Refuses log-values beyond 2^52 / max(1, k): all orders at once carry integer exponents, and a sum of k of them must stay
 * below 2^53.
 *
 * @throws RangeError naming the element and its value.
 */
export function checkExponents(caller: string, argument: string, rows: Rows, k: number): void {
  const limit = 2 ** 52 / Math.max(1, k);
  const { data, batch, n, columnStride } = rows;
  for (let b = 0; b < batch; b++) {
    let at = rows.offset + b * rows.rowStride;
    for (let i = 0; i < n; i++, at += columnStride) {
      if (Math.abs(data[at]) <= limit || data[at] === -Infinity) continue;
      const where = element(argument, rows, b, i);
      throw new RangeError(`${caller}: ${where} is ${data[at]}, expected at most 2^52 / k = ${limit} in size`);
    }
  }
}

/** Refuses NaN and infinities anywhere in the rows. */
export function checkFinite(caller: string, argument: string, rows: Rows): void {
  const { data, batch, n, columnStride } = rows;
  for (let b = 0; b < batch; b++) {
    let at = rows.offset + b * rows.rowStride;
    for (let i = 0; i < n; i++, at += columnStride) {
      if (Number.isFinite(data[at])) continue;
      throw new RangeError(`${caller}: ${element(argument, rows, b, i)} is ${data[at]}, expected a finite number`);
    }
  }
}

/**
 * Refuses options that are not an object, and any that the function does not have: a misspelt one would be ignored.
 *
 * @throws TypeError naming the option and those there are.
 */
export function checkOptions(caller: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options) || ArrayBuffer.isView(options)) {
    throw new TypeError(`${caller}: options is ${describe(options)}, expected an object`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`${caller}: there is no option ${name}, expected one of ${known.join(", ")}`);
    }
  }
}

/** Log-values and the order k that a function of them takes: the checks that all of them share. */
export function checkedRows(caller: string, x: ArrayLike2d | CheckedRows, k: number, lowest: 0 | 1): Rows {
  const rows = rowsOf(caller, "x", x);
  checkOrder(caller, k, rows.n, lowest, 0);
  checkLogValues(caller, "x", rows);
  return rows;
}

/** Refuses a k that is not an integer in [lowest, n - below]; `below` is 0 or 1. */
export function checkOrder(caller: string, k: number, n: number, lowest: number, below: 0 | 1): void {
  if (!Number.isInteger(k)) throw new RangeError(`${caller}: k must be an integer: got k = ${describe(k)}`);
  if (k < lowest) throw new RangeError(`${caller}: k must be at least ${lowest}: got k = ${k}`);
  if (k > n - below) {
    throw new RangeError(`${caller}: k must be at most ${below === 0 ? "n" : "n - 1"}: got k = ${k}, n = ${n}`);
  }
}

/** Refuses an argument whose shape is not the expected one. */
export function checkShape(caller: string, argument: string, rows: Rows, batch: number, n: number): void {
  if (rows.batch !== batch || rows.n !== n) {
    throw new RangeError(`${caller}: ${argument} has shape [${rows.batch}, ${rows.n}], expected [${batch}, ${n}]`);
  }
}

/** Wraps row-major results as an ndarray, without the batch dimension where the argument was a vector. */
export function wrap<T extends Float64Array | Float32Array>(data: T, like: Rows, n: number): NdArray<T> {
  return ndarray(data, like.isVector ? [n] : [like.batch, n]);
}
