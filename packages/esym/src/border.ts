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
  readonly data: Float64Array | Float32Array | ArrayLike<number>;
  readonly offset: number;
  readonly batch: number;
  readonly n: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** True if the argument was a vector: results drop the batch dimension. */
  readonly isVector: boolean;
  readonly dtype: Dtype;
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
export function rowsOf(caller: string, argument: string, input: ArrayLike2d): Rows {
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
  return {
    data: plainData(input),
    offset: input.offset,
    batch: isVector ? 1 : shape[0],
    n: isVector ? shape[0] : shape[1],
    rowStride: isVector ? 0 : stride[0],
    columnStride: isVector ? stride[0] : stride[1],
    isVector,
    dtype: dtypeOf(input.data),
  };
}

function dtypeOf(data: unknown): Dtype {
  return data instanceof Float32Array ? "float32" : "float64";
}

function vector(data: Float64Array | Float32Array, dtype: Dtype): Rows {
  return { data, offset: 0, batch: 1, n: data.length, rowStride: 0, columnStride: 1, isVector: true, dtype };
}

/** The storage of an ndarray, which may be a typed array, an array, or anything with get and set. */
function plainData(array: NdArray): ArrayLike<number> {
  const data = array.data as ArrayLike<number> | { get(i: number): number; length: number };
  if (typeof (data as { get?: unknown }).get !== "function") return data;
  const generic = data as { get(i: number): number; length: number };
  return Float64Array.from({ length: generic.length }, (_, i) => generic.get(i));
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
  if (columnStride === 1 && (data instanceof Float64Array || data instanceof Float32Array)) {
    out.set(data.subarray(start, start + n));
    return;
  }
  for (let i = 0; i < n; i++) out[i] = Number(data[start + i * columnStride]);
}

/** `argument[i]` of a vector, `argument[b, i]` of a matrix. */
export function element(argument: string, rows: Rows, b: number, i: number): string {
  return rows.isVector ? `${argument}[${i}]` : `${argument}[${b}, ${i}]`;
}

/**
 * Refuses NaN and +Infinity anywhere in the rows.
 *
 * @throws RangeError naming the element and its value.
 */
export function checkLogValues(caller: string, argument: string, rows: Rows): void {
  const row = new Float64Array(rows.n);
  for (let b = 0; b < rows.batch; b++) {
    copyRow(rows, b, row);
    for (let i = 0; i < row.length; i++) {
      if (!(row[i] < Infinity)) {
        throw new RangeError(
          `${caller}: ${element(argument, rows, b, i)} is ${row[i]}, expected a finite number or -Infinity`,
        );
      }
    }
  }
}

/** Refuses NaN and infinities anywhere in the rows. */
export function checkFinite(caller: string, argument: string, rows: Rows): void {
  const row = new Float64Array(rows.n);
  for (let b = 0; b < rows.batch; b++) {
    copyRow(rows, b, row);
    for (let i = 0; i < row.length; i++) {
      if (!Number.isFinite(row[i])) {
        throw new RangeError(`${caller}: ${element(argument, rows, b, i)} is ${row[i]}, expected a finite number`);
      }
    }
  }
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
