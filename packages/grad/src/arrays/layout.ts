/**
 * How the elements of an ndarray lie in memory: views become rows that hot loops can run along, and results are
 * contiguous and row-major.
 */
import ndarray, { type NdArray } from "ndarray";

export type Floats = Float64Array | Float32Array;
export type Dtype = "float64" | "float32";
/** An ndarray whose data is known to be floating point. */
export type FloatArray = NdArray<Floats>;

export function isNdArray(x: unknown): x is NdArray {
  return typeof x === "object" && x !== null && "shape" in x && "stride" in x && "data" in x && "offset" in x;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

/** Strides of contiguous row-major elements. */
export function rowMajor(shape: readonly number[]): number[] {
  const stride = new Array<number>(shape.length);
  for (let d = shape.length - 1, step = 1; d >= 0; step *= shape[d--]) stride[d] = step;
  return stride;
}

export function allocate(dtype: Dtype, size: number): Floats {
  return dtype === "float32" ? new Float32Array(size) : new Float64Array(size);
}

/** Values rounded to a precision; themselves if they have it. */
export function inPrecision(data: Floats, dtype: Dtype): Floats {
  if (data instanceof Float32Array === (dtype === "float32")) return data;
  const out = allocate(dtype, data.length);
  out.set(data);
  return out;
}

/** Wraps row-major elements, which the array then owns. */
export function wrap(data: Floats, shape: readonly number[]): FloatArray {
  return ndarray(data, [...shape]);
}

/** A view of the memory of x. */
export function view(x: FloatArray, shape: readonly number[], stride: readonly number[], offset: number): FloatArray {
  return ndarray(x.data, [...shape], [...stride], offset);
}

export function dtypeOf(x: FloatArray): Dtype {
  return x.data instanceof Float32Array ? "float32" : "float64";
}

/** float32 if every array is; numbers (scalars written in the program) have no say. */
export function commonDtype(operands: readonly (FloatArray | number)[]): Dtype {
  let found: Dtype | undefined;
  for (const x of operands) {
    if (typeof x === "number") continue;
    if (dtypeOf(x) === "float64") return "float64";
    found = "float32";
  }
  return found ?? "float64";
}

/** A number as an array of no dimensions. */
export function asArray(x: FloatArray | number): FloatArray {
  return typeof x === "number" ? wrap(Float64Array.of(x), []) : x;
}

function isRowMajor({ shape, stride }: FloatArray): boolean {
  for (let d = shape.length - 1, step = 1; d >= 0; step *= shape[d--]) {
    if (shape[d] !== 1 && stride[d] !== step) return false;
  }
  return true;
}

/** The elements in row-major order: a window of x's memory where they lie so, else a copy. Read only. */
export function flat(x: FloatArray): Floats {
  const size = sizeOf(x.shape);
  if (!isRowMajor(x)) return copyOf(x);
  if (x.offset === 0 && x.data.length === size) return x.data;
  return x.data.subarray(x.offset, x.offset + size);
}

/** A fresh copy of the elements in row-major order. */
export function copyOf(x: FloatArray): Floats {
  const out = allocate(dtypeOf(x), sizeOf(x.shape));
  walk(x.shape, [x], (at, n, step, from) => {
    for (let i = 0, a = at[0]; i < n; i++, a += step[0]) out[from + i] = x.data[a];
  });
  return out;
}

/** Where an operand's elements lie, for a shape that the walk knows; stride 0 repeats elements. */
export interface Strided {
  readonly stride: readonly number[];
  readonly offset: number;
}

/**
 * One row of the walk: operand p's elements are at[p], at[p] + step[p], ..., n of them; `from` counts the elements of
 * the rows before it, which is where the row starts in a row-major result.
 */
export type VisitRow = (at: readonly number[], n: number, step: readonly number[], from: number) => void;

/**
 * Goes through all indices of a shape in row-major order, row by row. Neighbouring dimensions are merged where every
 * operand allows it, so contiguous operands make a single row.
 */
export function walk(shape: readonly number[], operands: readonly Strided[], visit: VisitRow): void {
  const extents: number[] = [];
  const steps: number[][] = [];
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 0) return;
    if (shape[d] === 1) continue;
    const stride = operands.map((x) => x.stride[d]);
    const last = extents.length - 1;
    if (last >= 0 && steps[last].every((outer, p) => outer === stride[p] * shape[d])) {
      extents[last] *= shape[d];
      steps[last] = stride;
    } else {
      extents.push(shape[d]);
      steps.push(stride);
    }
  }
  const n = extents.pop() ?? 1;
  const step = steps.pop() ?? operands.map(() => 0);
  const at = operands.map((x) => x.offset);
  const index = extents.map(() => 0);
  for (let from = 0; ; from += n) {
    visit(at, n, step, from);
    let d = extents.length - 1;
    for (; d >= 0; d--) {
      index[d]++;
      for (let p = 0; p < at.length; p++) at[p] += steps[d][p];
      if (index[d] < extents[d]) break;
      index[d] = 0;
      for (let p = 0; p < at.length; p++) at[p] -= steps[d][p] * extents[d];
    }
    if (d < 0) return;
  }
}

/** The shape that all shapes broadcast to, or null: extents are aligned at the end, and 1 stretches. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] | null {
  const out = new Array<number>(Math.max(...shapes.map((shape) => shape.length))).fill(1);
  for (const shape of shapes) {
    for (let d = 0; d < shape.length; d++) {
      const at = out.length - shape.length + d;
      if (shape[d] !== 1 && out[at] !== 1 && shape[d] !== out[at]) return null;
      if (shape[d] !== 1) out[at] = shape[d];
    }
  }
  return out;
}

/** Strides that read x as if it had the larger shape. */
export function stretched(x: Pick<FloatArray, "shape" | "stride" | "offset">, shape: readonly number[]): Strided {
  const missing = shape.length - x.shape.length;
  const stride = shape.map((_, d) => (d < missing || x.shape[d - missing] === 1 ? 0 : x.stride[d - missing]));
  return { stride, offset: x.offset };
}

/** A shape in an error message. */
export function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
