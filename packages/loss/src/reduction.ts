/**
 * From the losses of the samples to the value, and where results go.
 *
 * Reductions are those of PyTorch: 'mean' divides by the sum of the weights of the samples that count.
 */
import { checkOptions, describe, type Rows, wrap } from "@smooth-topk/esym/kernel";
import type { NdArray } from "ndarray";
import type { Batch, Buffers, LossValue, Reduction } from "./batch.ts";

/** Memory for the results of one call. */
export interface Results {
  /** The loss of each sample, without its weight until {@link reduce} has run; length batch. */
  readonly losses: Float64Array;
  /** Row-major, length batch n; null where no gradient is wanted. */
  readonly grad: Float64Array | Float32Array | null;
}

/**
 * The caller's memory where there is some, fresh memory elsewhere.
 *
 * @param single  whether a fresh gradient is in single precision.
 * @throws TypeError or RangeError naming the buffer, its type and its length.
 */
export function resultsOf(
  caller: string,
  rows: Rows,
  out: Buffers | undefined,
  wantGrad: boolean,
  single: boolean,
): Results {
  if (out !== undefined) checkOptions(`${caller}: out`, out, ["loss", "grad"]);
  if (out?.loss !== undefined && !(out.loss instanceof Float64Array && out.loss.length === rows.batch)) {
    throw new RangeError(`${caller}: out.loss is ${buffer(out.loss)}, expected a Float64Array of length ${rows.batch}`);
  }
  const size = rows.batch * rows.n;
  const given = out?.grad;
  if (
    given !== undefined &&
    !((given instanceof Float64Array || given instanceof Float32Array) && given.length === size)
  ) {
    throw new RangeError(
      `${caller}: out.grad is ${buffer(given)}, expected a Float64Array or Float32Array of length ${size}`,
    );
  }
  const losses = out?.loss ?? new Float64Array(rows.batch);
  const grad = wantGrad ? (given ?? (single ? new Float32Array(size) : new Float64Array(size))) : null;
  return { losses, grad };
}

function buffer(value: unknown): string {
  return ArrayBuffer.isView(value) && "length" in value
    ? `a ${value.constructor.name} of length ${String(value.length)}`
    : describe(value);
}

/** What the gradient of sample b's own loss is multiplied by in that of the value. */
export function sampleWeight({ weights, reduction, total }: Batch, b: number): number {
  const weight = weights === null ? 1 : weights[b];
  return reduction === "mean" ? weight / total : weight;
}

/** Weights the losses, in place, and reduces them. */
export function reduce<R extends Reduction | undefined>(batch: Batch, losses: Float64Array): LossValue<R> {
  const { weights, reduction, total } = batch;
  let sum = 0;
  let compensation = 0;
  for (let b = 0; b < losses.length; b++) {
    // A weight of 0 is one that an infinite loss has none of.
    const loss = weights === null ? losses[b] : weights[b] === 0 ? 0 : weights[b] * losses[b];
    losses[b] = loss;
    // Neumaier's summation: the mean of many samples is right to the last digit.
    const next = sum + loss;
    compensation += Math.abs(sum) >= Math.abs(loss) ? sum - next + loss : loss - next + sum;
    sum = next;
  }
  const value =
    reduction === "none"
      ? losses
      : (Number.isFinite(sum) ? sum + compensation : sum) / (reduction === "mean" ? total : 1);
  return value as LossValue<R>;
}

/** The gradient as an array of the shape of the scores. */
export function gradientOf(rows: Rows, grad: Float64Array | Float32Array): NdArray<Float64Array | Float32Array> {
  return wrap<Float64Array | Float32Array>(grad, rows, rows.n);
}
