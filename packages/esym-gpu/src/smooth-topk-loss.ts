/**
 * The smooth top-k loss and its gradient, fused: scores and labels in, one loss a row and the gradient out.
 *
 * On the host, for each row and in double precision: the k-th largest of the other scores, the margin
 * (k alpha + c - s_y) / (k tau), and at the end log1p of ratio exp(margin). All that costs O(nk) runs on the device.
 */
import type { ArrayLike2d } from "@smooth-topk/esym";
import { checkLogValues, checkOrder, copyRow, describe, element, type Rows, rowsOf } from "@smooth-topk/esym/kernel";
import { centreOf, countAbove, largest } from "./centre.ts";
import { writeArguments, writeNothing } from "./log-values.ts";
import type { ProgramCache } from "./program-cache.ts";
import { checkSizes, eachBlock } from "./row-blocks.ts";

export interface SmoothTopkLossOptions {
  /** How many guesses the loss allows: 1 <= k <= n - 1. Default 5. */
  readonly k?: number | undefined;
  /** Temperature, > 0. Default 1. */
  readonly tau?: number | undefined;
  /** Margin. Default 1. */
  readonly alpha?: number | undefined;
}

/** One class index a row. */
export type Labels = ArrayLike<number>;

const CALLER = "smoothTopkLoss";
/** Beyond exp(700), log(1 + exp(z)) is z to every digit. */
const LARGEST_MARGIN = 700;

export interface CheckedLoss {
  readonly rows: Rows;
  readonly labels: Int32Array;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

/** @throws RangeError or TypeError naming the argument, the index and the value. */
export function checkLoss(scores: ArrayLike2d, labels: Labels, options: SmoothTopkLossOptions): CheckedLoss {
  const { k = 5, tau = 1, alpha = 1 } = options;
  if (typeof tau !== "number" || !(tau > 0)) {
    throw new RangeError(`${CALLER}: tau must be a number > 0: got tau = ${describe(tau)}`);
  }
  if (typeof alpha !== "number" || !Number.isFinite(alpha)) {
    throw new RangeError(`${CALLER}: alpha must be a finite number: got alpha = ${describe(alpha)}`);
  }
  const rows = rowsOf(CALLER, "scores", scores);
  const { batch, n } = rows;
  if (batch === 0 || n === 0) {
    throw new RangeError(`${CALLER}: scores has shape [${batch}, ${n}], expected at least one row and class`);
  }
  if (typeof labels !== "object" || labels === null || labels.length !== batch) {
    const found =
      typeof labels === "object" && labels !== null ? `has length ${labels.length}` : `is ${describe(labels)}`;
    throw new RangeError(`${CALLER}: labels ${found}, expected one for each of ${batch} rows`);
  }
  for (let b = 0; b < batch; b++) {
    if (!Number.isInteger(labels[b]) || labels[b] < 0 || labels[b] >= n) {
      throw new RangeError(`${CALLER}: labels[${b}] is ${describe(labels[b])}, expected an integer in [0, ${n - 1}]`);
    }
  }
  checkLogValues(CALLER, "scores", rows);
  for (let b = 0; b < batch; b++) {
    if (rows.data[rows.offset + b * rows.rowStride + labels[b] * rows.columnStride] === -Infinity) {
      throw new RangeError(
        `${CALLER}: labels[${b}] is ${labels[b]}, a masked class: ${element("scores", rows, b, labels[b])} is -Infinity`,
      );
    }
  }
  checkOrder(CALLER, k, n, 1, 1);
  if (!(k * tau >= 1e-280 && k * tau <= 1e280)) {
    throw new RangeError(`${CALLER}: k tau must be between 1e-280 and 1e280: got tau = ${tau}`);
  }
  checkSizes(CALLER, n, k);
  return { rows, labels: Int32Array.from(labels), k, tau, alpha };
}

export async function lossRows(
  cache: ProgramCache,
  { rows, labels, k, tau, alpha }: CheckedLoss,
): Promise<{ loss: Float32Array; grad: Float32Array }> {
  const { batch, n } = rows;
  const inverse = 1 / (k * tau);
  const loss = new Float32Array(batch);
  const grad = new Float32Array(batch * n);
  const row = new Float64Array(n);
  const margins = new Float64Array(batch);
  await eachBlock(
    cache,
    "loss",
    batch,
    n,
    k,
    ({ from, rows: count, compiled: { x, margin, shape } }) => {
      for (let b = 0; b < count; b++) {
        copyRow(rows, from + b, row);
        const labelScore = row[labels[from + b]];
        row[labels[from + b]] = -Infinity;
        const top = largest(row, n, k);
        if (top.count < k) {
          margins[from + b] = NaN;
          writeNothing(x, b * shape.width, shape.width);
          continue;
        }
        const centre = centreOf(row, n, k, top, countAbove(top, k), inverse);
        const value = (k * alpha + (centre - labelScore)) * inverse;
        margins[from + b] = value;
        margin[2 * b] = value;
        margin[2 * b + 1] = value - margin[2 * b];
        writeArguments(row, centre, inverse, x, b * shape.width, shape.width);
      }
    },
    ({ from, rows: count }, { full, stride, derivative, width }) => {
      for (let b = 0; b < count; b++) {
        const at = (from + b) * n;
        const z = margins[from + b];
        // Fewer than k other classes: loss and gradient stay 0.
        if (Number.isNaN(z)) continue;
        const ratio = full[b * stride + k] / full[b * stride + k - 1];
        const odds = ratio * Math.exp(Math.min(z, LARGEST_MARGIN));
        loss[from + b] = tau * (z > LARGEST_MARGIN ? z + Math.log(ratio) : Math.log1p(odds));
        grad.set(derivative.subarray(b * width, b * width + n), at);
        grad[at + labels[from + b]] = -odds / (1 + odds) / k;
      }
    },
  );
  return { loss, grad };
}
