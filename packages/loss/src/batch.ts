/**
 * The border of the package: checks the arguments of every loss once, then runs its row kernel over the batch.
 *
 * Reductions are those of PyTorch: 'mean' divides by the sum of the weights of the samples that count.
 */
import type { ArrayLike2d } from "@smooth-topk/esym";
import { checkLogValues, copyRow, describe, element, type Rows, rowsOf } from "@smooth-topk/esym/kernel";
import ndarray, { type NdArray } from "ndarray";

/** Class scores: [batch, n], or [n] for one sample. -Infinity masks a class. Never mutated. */
export type Scores = ArrayLike2d;

/** Class indices: [batch], or one number for one sample. */
export type Labels =
  | number
  | readonly number[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | NdArray;

/** 'none': one value per sample; 'sum'; 'mean' over the samples that count, by weight. */
export type Reduction = "none" | "mean" | "sum";

export interface BatchOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction | undefined;
  /** One non-negative weight per sample, shape [batch]. Default 1. */
  readonly weights?: readonly number[] | Float64Array | Float32Array | NdArray | undefined;
  /** Samples with this label have loss 0 and gradient 0 and do not count in the mean. */
  readonly ignoreIndex?: number | undefined;
}

/** Caller's memory for results; with both given a call allocates nothing that grows with the batch. */
export interface Buffers {
  /** Receives the weighted loss of each sample, length batch. */
  readonly loss?: Float64Array | undefined;
  /** Receives the gradient, row-major, length batch * n. */
  readonly grad?: Float64Array | Float32Array | undefined;
}

/** A loss value: one number, or one per sample with reduction 'none'. */
export type LossValue<R extends Reduction | undefined> = R extends "none" ? Float64Array : number;

/** A value with its gradient in the scores; the gradient has the shape and the precision of the scores. */
export interface ValueAndGrad<R extends Reduction | undefined> {
  readonly value: LossValue<R>;
  readonly grad: NdArray<Float64Array | Float32Array>;
}

/**
 * Loss of one sample; adds no state between samples.
 *
 * @param x       the scores, n of them; overwritten.
 * @param weight  multiplies the gradient, not the returned loss.
 * @param grad    receives the gradient at grad[offset..offset + n), or null.
 */
export type RowLoss = (
  x: Float64Array,
  label: number,
  weight: number,
  grad: Float64Array | null,
  offset: number,
) => number;

/** Arguments that passed the checks. */
export interface Batch {
  readonly rows: Rows;
  /** One class index per sample, -1 where the sample is ignored. */
  readonly labels: Int32Array;
  /** One weight per sample (0 where ignored), or null for all equal to 1. */
  readonly weights: Float64Array | null;
  /** Sum of the weights. */
  readonly total: number;
}

/**
 * Checks scores, labels and weights.
 *
 * @throws RangeError or TypeError naming the argument, the index and the value.
 */
export function checkBatch(caller: string, scores: Scores, labels: Labels, options: BatchOptions): Batch {
  const rows = rowsOf(caller, "scores", scores);
  if (rows.batch === 0 || rows.n === 0) {
    throw new RangeError(`${caller}: scores has shape [${rows.batch}, ${rows.n}], expected at least one row and class`);
  }
  const { reduction = "mean", ignoreIndex } = options;
  if (reduction !== "mean" && reduction !== "sum" && reduction !== "none") {
    throw new RangeError(`${caller}: reduction is ${describe(reduction)}, expected 'none', 'mean' or 'sum'`);
  }
  const indices = checkLabels(caller, labels, rows, ignoreIndex);
  checkLogValues(caller, "scores", rows);
  checkLabelsNotMasked(caller, indices, rows);
  return { rows, labels: indices, ...checkWeights(caller, options, indices, reduction) };
}

function flat(caller: string, argument: string, input: unknown): ArrayLike<number | bigint> {
  if (typeof input === "number") return [input];
  if (Array.isArray(input) || (ArrayBuffer.isView(input) && !(input instanceof DataView))) {
    return input as unknown as ArrayLike<number | bigint>;
  }
  if (typeof input === "object" && input !== null && "shape" in input && "get" in input) {
    const array = input as NdArray;
    if (array.shape.length !== 1) {
      throw new TypeError(`${caller}: ${argument} has shape [${array.shape.join(", ")}], expected [batch]`);
    }
    return Array.from({ length: array.shape[0] }, (_, i) => array.get(i));
  }
  throw new TypeError(`${caller}: ${argument} is ${describe(input)}, expected an array of numbers`);
}

function checkLabels(caller: string, input: Labels, rows: Rows, ignoreIndex: number | undefined): Int32Array {
  const labels = flat(caller, "labels", input);
  if (labels.length !== rows.batch) {
    throw new RangeError(`${caller}: labels has length ${labels.length}, expected one for each of ${rows.batch} rows`);
  }
  const out = new Int32Array(rows.batch);
  for (let b = 0; b < rows.batch; b++) {
    const label = Number(labels[b]);
    if (ignoreIndex !== undefined && label === ignoreIndex) {
      out[b] = -1;
    } else if (typeof labels[b] === "string" || !Number.isInteger(label) || label < 0 || label >= rows.n) {
      throw new RangeError(
        `${caller}: labels[${b}] is ${describe(labels[b])}, expected an integer in [0, ${rows.n - 1}]`,
      );
    } else {
      out[b] = label;
    }
  }
  return out;
}

function checkLabelsNotMasked(caller: string, labels: Int32Array, rows: Rows): void {
  for (let b = 0; b < rows.batch; b++) {
    if (labels[b] < 0) continue;
    if (rows.data[rows.offset + b * rows.rowStride + labels[b] * rows.columnStride] === -Infinity) {
      throw new RangeError(
        `${caller}: labels[${b}] is ${labels[b]}, a masked class: ${element("scores", rows, b, labels[b])} is -Infinity`,
      );
    }
  }
}

function checkWeights(
  caller: string,
  options: BatchOptions,
  labels: Int32Array,
  reduction: Reduction,
): { weights: Float64Array | null; total: number } {
  const batch = labels.length;
  const ignored = labels.includes(-1);
  let weights: Float64Array | null = null;
  let total = batch;
  if (options.weights !== undefined || ignored) {
    weights = new Float64Array(batch).fill(1);
    if (options.weights !== undefined) {
      const given = flat(caller, "weights", options.weights);
      if (given.length !== batch) {
        throw new RangeError(`${caller}: weights has length ${given.length}, expected one for each of ${batch} rows`);
      }
      for (let b = 0; b < batch; b++) {
        const weight = given[b];
        if (typeof weight !== "number" || !(weight >= 0 && weight < Infinity)) {
          throw new RangeError(`${caller}: weights[${b}] is ${describe(weight)}, expected a finite number >= 0`);
        }
        weights[b] = weight;
      }
    }
    total = 0;
    for (let b = 0; b < batch; b++) {
      if (labels[b] < 0) weights[b] = 0;
      total += weights[b];
    }
  }
  if (reduction === "mean" && !(total > 0)) {
    throw new RangeError(`${caller}: the weights of the samples that count sum to ${total}, the mean is undefined`);
  }
  return { weights, total };
}

/** Refuses a margin that is not a finite number. */
export function checkMargin(caller: string, alpha: unknown): void {
  if (typeof alpha !== "number" || !Number.isFinite(alpha)) {
    throw new RangeError(`${caller}: alpha must be a finite number: got alpha = ${describe(alpha)}`);
  }
}

function checkBuffers(caller: string, out: Buffers | undefined, rows: Rows): void {
  if (out?.loss !== undefined && !(out.loss instanceof Float64Array && out.loss.length === rows.batch)) {
    throw new RangeError(`${caller}: out.loss is ${buffer(out.loss)}, expected a Float64Array of length ${rows.batch}`);
  }
  const size = rows.batch * rows.n;
  if (
    out?.grad !== undefined &&
    !((out.grad instanceof Float64Array || out.grad instanceof Float32Array) && out.grad.length === size)
  ) {
    throw new RangeError(
      `${caller}: out.grad is ${buffer(out.grad)}, expected a Float64Array or Float32Array of length ${size}`,
    );
  }
}

function buffer(value: unknown): string {
  return ArrayBuffer.isView(value) && "length" in value
    ? `a ${value.constructor.name} of length ${String(value.length)}`
    : describe(value);
}

/** Scratch memory shared by all calls; a call never yields, so none can see another's. */
let scores: Float64Array = new Float64Array(0);
let gradients: Float64Array = new Float64Array(0);

function scratch(current: Float64Array, n: number): Float64Array {
  return current.length >= n && current.length < 4 * n + 64 ? current : new Float64Array(n);
}

/** Runs a row loss over a checked batch and reduces. The weighted losses go to out.loss, the gradient to grad. */
export function reduceRows<R extends Reduction | undefined>(
  caller: string,
  batch: Batch,
  options: BatchOptions & { readonly reduction?: R; readonly out?: Buffers | undefined },
  wantGrad: boolean,
  rowLoss: RowLoss,
): ValueAndGrad<R> {
  const { rows, labels, weights, total } = batch;
  const { out } = options;
  checkBuffers(caller, out, rows);
  const reduction = options.reduction ?? "mean";
  const divisor = reduction === "mean" ? total : 1;
  const { n } = rows;
  scores = scratch(scores, n);
  const grad = wantGrad ? gradientBuffer(out, rows) : null;
  // The kernels write doubles: a single-precision gradient is rounded row by row.
  const wide = grad instanceof Float64Array ? grad : null;
  if (grad !== null && wide === null) gradients = scratch(gradients, n);
  const losses = out?.loss ?? (reduction === "none" ? new Float64Array(rows.batch) : null);

  let sum = 0;
  let compensation = 0;
  for (let b = 0; b < rows.batch; b++) {
    const label = labels[b];
    const weight = weights === null ? 1 : weights[b];
    let loss = 0;
    if (label >= 0) {
      copyRow(rows, b, scores);
      const target = grad === null ? null : (wide ?? gradients);
      loss = weight * rowLoss(scores, label, weight / divisor, target, wide === null ? 0 : b * n);
      if (grad !== null && wide === null) {
        for (let i = 0; i < n; i++) grad[b * n + i] = gradients[i];
      }
    } else {
      grad?.fill(0, b * n, (b + 1) * n);
    }
    if (losses !== null) losses[b] = loss;
    // Neumaier's summation: the mean of many samples is right to the last digit.
    const next = sum + loss;
    compensation += Math.abs(sum) >= Math.abs(loss) ? sum - next + loss : loss - next + sum;
    sum = next;
  }
  const value = reduction === "none" ? losses : (sum + compensation) / divisor;
  return {
    value: value as LossValue<R>,
    grad: ndarray(grad ?? new Float64Array(0), rows.isVector ? [n] : [rows.batch, n]),
  };
}

function gradientBuffer(out: Buffers | undefined, rows: Rows): Float64Array | Float32Array {
  const size = rows.batch * rows.n;
  return out?.grad ?? (rows.dtype === "float32" ? new Float32Array(size) : new Float64Array(size));
}
