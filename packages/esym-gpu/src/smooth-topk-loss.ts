/**
 * The smooth top-k loss and its gradient, fused: scores and labels in, one loss a row and the gradient out.
 *
 * On the host, for each row and in double precision: the k-th largest of the other scores, the margin
 * (k alpha + c - s_y) / (k tau), and at the end log1p of ratio exp(margin). All that costs O(nk) runs on the device.
 */
import type { ArrayLike2d } from "@smooth-topk/esym";
import {
  checkLogValues,
  checkOrder,
  describe,
  element,
  exponentialScale,
  type Rows,
  rowsOf,
  twoProduct,
} from "@smooth-topk/esym/kernel";
import type { ProgramCache } from "./program-cache.ts";
import { checkSizes, eachRow } from "./row-blocks.ts";

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
  const scale = exponentialScale(twoProduct(k, tau));
  const loss = new Float32Array(batch);
  const grad = new Float32Array(batch * n);
  const labelScores = new Float64Array(batch);
  const margins = new Float64Array(batch);
  await eachRow(cache, "loss", rows, k, scale, grad, {
    before(row, b) {
      labelScores[b] = row[labels[b]];
      row[labels[b]] = -Infinity;
    },
    centred(centre, b, margin, at) {
      margins[b] = centre === null ? NaN : (k * alpha + (centre - labelScores[b])) * scale.inverse;
      margin[at] = margins[b];
      margin[at + 1] = margins[b] - margin[at];
    },
    after(result, b, at) {
      // Fewer than k other classes: no subset misses the label.
      if (Number.isNaN(margins[b])) {
        grad.fill(0, b * n, (b + 1) * n);
        return;
      }
      const z = margins[b] + result.ratio(at);
      const odds = Math.exp(-Math.abs(z));
      loss[b] = tau * (Math.max(z, 0) + Math.log1p(odds));
      grad[b * n + labels[b]] = -(z > 0 ? 1 : odds) / (1 + odds) / k;
    },
  });
  return { loss, grad };
}
