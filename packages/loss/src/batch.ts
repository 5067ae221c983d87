/**
 * The border of the package: checks the scores, labels and weights of every loss once.
 */
import type { ArrayLike2d } from "@smooth-topk/esym";
import { checkLogValues, checkOptions, describe, element, type Rows, rowsOf } from "@smooth-topk/esym/kernel";
import type { NdArray } from "ndarray";

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

/** Caller's memory for results; with `grad` given a call allocates nothing of the size of the scores. */
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

/** Arguments that passed the checks. */
export interface Batch {
  readonly rows: Rows;
  readonly reduction: Reduction;
  /** One class index per sample, -1 where the sample is ignored: its scores may be anything. */
  readonly labels: Int32Array;
  /** One weight per sample (0 where ignored), or null for all equal to 1. */
  readonly weights: Float64Array | null;
  /** Sum of the weights. */
  readonly total: number;
}

const OPTIONS = ["reduction", "weights", "ignoreIndex"] as const;

/**
 * Checks options, scores, labels and weights.
 *
 * @param own  the names of the loss's own options.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 */
export function checkBatch(
  caller: string,
  scores: Scores,
  labels: Labels,
  options: BatchOptions,
  own: readonly string[],
): Batch {
  checkOptions(caller, options, [...own, ...OPTIONS]);
  const rows = rowsOf(caller, "scores", scores);
  if (rows.batch === 0 || rows.n === 0) {
    throw new RangeError(`${caller}: scores has shape [${rows.batch}, ${rows.n}], expected at least one row and class`);
  }
  const { reduction = "mean", ignoreIndex } = options;
  if (reduction !== "mean" && reduction !== "sum" && reduction !== "none") {
    throw new RangeError(`${caller}: reduction is ${describe(reduction)}, expected 'none', 'mean' or 'sum'`);
  }
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex)) {
    throw new RangeError(`${caller}: ignoreIndex is ${describe(ignoreIndex)}, expected an integer`);
  }
  const indices = checkLabels(caller, labels, rows, ignoreIndex);
  checkLogValues(caller, "scores", rows, indices.includes(-1) ? (b) => indices[b] >= 0 : undefined);
  checkLabelsNotMasked(caller, indices, rows);
  return { rows, reduction, labels: indices, ...checkWeights(caller, options, indices, reduction) };
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
    const given: unknown = labels[b];
    const label = typeof given === "number" ? given : typeof given === "bigint" ? Number(given) : NaN;
    if (ignoreIndex !== undefined && label === ignoreIndex) {
      out[b] = -1;
    } else if (!Number.isInteger(label) || label < 0 || label >= rows.n) {
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
