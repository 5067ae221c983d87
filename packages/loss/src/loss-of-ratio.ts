/**
 * Losses that are made of a log-ratio, on any backend: L = tau softplus(z) per sample, with
 *
 *   z = alpha / tau + log sigma_k(e without y) - log sigma_{k-1}(e without y) - s_y / (k tau),   e_i = exp(s_i / (k tau)).
 *
 * The backend finds the log-ratio of the other classes, log(ratio) + c / (k tau), and its gradient; what is left is a few
 * numbers per sample. The large parts of z that cancel are (k alpha + c - s_y) / (k tau), c the row's centre: kept to twice
 * the working precision and divided once. docs/algorithm.md, section 5.
 */
import type { EspBackend, Ratio, SyncEspBackend } from "@smooth-topk/esym";
import { CheckedRows, copyRow, type Rows, twoProduct } from "@smooth-topk/esym/kernel";
import type { Batch, Buffers, Reduction, ValueAndGrad } from "./batch.ts";
import { exactMargin, marginOver } from "./exact-margin.ts";
import { gradientOf, reduce, resultsOf, sampleWeight } from "./reduction.ts";
import { softplus } from "./softplus.ts";

/** A backend whose results are promises, or one whose results are at hand. */
export type AnyBackend = EspBackend | SyncEspBackend;
/** What either kind of backend returns. */
export type Eventual<T> = T | Promise<T>;

export interface Parameters {
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

/**
 * Value of a batch, and its gradient where it is wanted.
 *
 * The checks are made: all that the backend refuses from here on is what it cannot compute.
 */
export function lossOfRatio<R extends Reduction | undefined>(
  backend: AnyBackend,
  caller: string,
  batch: Batch,
  { k, tau, alpha }: Parameters,
  out: Buffers | undefined,
  wantGrad: boolean,
): Eventual<ValueAndGrad<R>> {
  const { rows } = batch;
  const { n } = rows;
  const single = backend.dtype === "float32" || rows.dtype === "float32";
  const { losses, grad } = resultsOf(caller, rows, out, wantGrad, single);
  losses.fill(0);
  const { sample, labels, x } = samplesThatCount(batch);
  const temperature = twoProduct(k, tau);
  /** The gradient's entry at each label, negated. */
  const steps = new Float64Array(labels.length);
  /** Keeps the loss of a sample, and says what its gradient is multiplied by. */
  const visit = (row: number, ratio: number, centre: number): number => {
    // Fewer than k classes besides the label: there is nothing to be missed for.
    if (ratio === 0) return 0;
    const b = sample === null ? row : sample[row];
    const margin = exactMargin(k, alpha, centre, scoreAt(rows, b, labels[row]));
    const { value, derivative } = softplus(ratio, marginOver(margin, temperature));
    // Where the margin over the temperature leaves the doubles, the loss is the margin over k.
    losses[b] = value === Infinity ? marginOver(margin, [k, 0])[0] + tau * Math.log(ratio) : tau * value;
    steps[row] = (sampleWeight(batch, b) * derivative) / k;
    return steps[row];
  };
  const finish = (found: Ratio | null): ValueAndGrad<R> => {
    if (grad === null) {
      const { ratio, centre } = found ?? {};
      for (let row = 0; row < labels.length; row++) visit(row, ratio?.get(row) ?? 0, centre?.get(row) ?? 0);
      return { value: reduce<R>(batch, losses) } as ValueAndGrad<R>;
    }
    for (let row = 0; row < labels.length; row++) {
      if (steps[row] !== 0) grad[row * n + labels[row]] = -steps[row];
    }
    if (sample !== null) spreadRows(grad, n, rows.batch, sample);
    return { value: reduce<R>(batch, losses), grad: gradientOf(rows, grad) };
  };
  if (labels.length === 0) return finish(null);
  const options = { temperature, leftOut: labels };
  const found =
    grad === null
      ? backend.logEspRatio(x, k, { ...options, gradient: false })
      : backend.logEspRatio(x, k, {
          ...options,
          rowWeight: visit,
          out: { grad: sample === null ? grad : grad.subarray(0, labels.length * n) },
        });
  return found instanceof Promise ? found.then(finish) : finish(found);
}

/** The samples that are not ignored, as a matrix of their own; all of them where none is. */
function samplesThatCount({ rows, labels }: Batch): {
  /** Which they are, or null for all. */
  readonly sample: Int32Array | null;
  readonly labels: Int32Array;
  readonly x: CheckedRows;
} {
  if (!labels.includes(-1)) return { sample: null, labels, x: new CheckedRows(rows) };
  const sample = Int32Array.from(labels.keys()).filter((b) => labels[b] >= 0);
  const { n } = rows;
  const data = new Float64Array(sample.length * n);
  for (const [at, b] of sample.entries()) copyRow(rows, b, data.subarray(at * n, (at + 1) * n));
  const shape = { data, offset: 0, batch: sample.length, n, rowStride: n, columnStride: 1 };
  const x = new CheckedRows({ ...shape, isVector: false, dtype: rows.dtype });
  return { sample, labels: sample.map((b) => labels[b]), x };
}

function scoreAt({ data, offset, rowStride, columnStride }: Rows, b: number, i: number): number {
  return data[offset + b * rowStride + i * columnStride];
}

/** Moves the rows that stand at the start of `grad` to the samples that they belong to; the others become 0. */
function spreadRows(grad: Float64Array | Float32Array, n: number, batch: number, sample: Int32Array): void {
  let row = sample.length - 1;
  for (let b = batch - 1; b >= 0; b--) {
    if (row >= 0 && sample[row] === b) {
      grad.copyWithin(b * n, row * n, (row + 1) * n);
      row--;
    } else grad.fill(0, b * n, (b + 1) * n);
  }
}
