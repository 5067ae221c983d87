/**
 * One block of an evaluation: the losses of its rows, the ranks of their labels and, where asked for, the gradient. It
 * knows nothing of files or threads, and a row's results depend on the row alone: however a file is cut and whoever
 * computes, they are the same to the last bit.
 */
import {
  crossEntropy,
  crossEntropyValueAndGrad,
  smoothTopkLoss,
  smoothTopkLossValueAndGrad,
  topkLoss,
  topkLossValueAndGrad,
} from "@smooth-topk/loss";
import type { Numbers } from "@smooth-topk/array-files";
import ndarray, { type NdArray } from "ndarray";
import type { Backend } from "./backends.ts";
import { badRow } from "./bad-row.ts";
import type { BlockResult, BlockSettings, ScoreBlock } from "./block-types.ts";

interface Rows {
  readonly scores: NdArray<Numbers>;
  readonly labels: Float64Array;
  readonly weights: Float64Array | undefined;
}

/** @throws BadInput naming the file and the row. */
export async function evaluateBlock(
  settings: BlockSettings,
  block: ScoreBlock,
  backend: Backend | null,
): Promise<BlockResult> {
  const { ks, n, wantGrad, gradScale } = settings;
  const kept = countedRows(settings, block);
  const rows = kept === null ? whole(block, n) : selected(block, n, kept);
  const counted = rows.labels.length;
  let losses: Float64Array[] = ks.map(() => new Float64Array(0));
  let grad: Float64Array | null = wantGrad ? new Float64Array(counted * n) : null;
  if (counted > 0) {
    try {
      losses = [];
      for (const [i, k] of ks.entries()) losses.push(await lossesOf(settings, rows, k, i === 0 ? grad : null, backend));
    } catch (error) {
      throw badRow(settings, block) ?? (error as Error);
    }
  }
  for (const of of losses) {
    const bad = of.findIndex((loss) => !Number.isFinite(loss));
    const overflow = bad < 0 ? null : badRow(settings, block, { row: kept === null ? bad : kept[bad], loss: of[bad] });
    if (overflow !== null) throw overflow;
  }
  const { top1, topk } = countRanks(rows, n, ks);
  if (grad !== null && gradScale !== 1) for (let i = 0; i < grad.length; i++) grad[i] *= gradScale;
  if (kept !== null) {
    const all = block.labels.length;
    losses = losses.map((of) => spread(of, kept, all, 1));
    if (grad !== null) grad = spread(grad, kept, all, n);
  }
  return { losses, top1, topk, counted, grad };
}

/** The rows that are not ignored; null for all. */
function countedRows({ ignoreIndex }: BlockSettings, { labels }: ScoreBlock): Int32Array | null {
  if (ignoreIndex === null || !labels.includes(ignoreIndex)) return null;
  return Int32Array.from(labels.keys()).filter((row) => labels[row] !== ignoreIndex);
}

function whole({ scores, labels, weights }: ScoreBlock, n: number): Rows {
  return { scores: ndarray(scores, [labels.length, n]), labels, weights: weights ?? undefined };
}

/** Ignored rows are not looked at: they may hold NaN. */
function selected({ scores, labels, weights }: ScoreBlock, n: number, rows: Int32Array): Rows {
  const some = scores.slice(0, rows.length * n);
  rows.forEach((row, i) => some.set(scores.subarray(row * n, (row + 1) * n), i * n));
  return {
    scores: ndarray(some, [rows.length, n]),
    labels: Float64Array.from(rows, (row) => labels[row]),
    weights: weights === null ? undefined : Float64Array.from(rows, (row) => weights[row]),
  };
}

/** Puts the values of some rows back among zeros. */
function spread(values: Float64Array, rows: Int32Array, all: number, width: number): Float64Array {
  const out = new Float64Array(all * width);
  rows.forEach((row, i) => out.set(values.subarray(i * width, (i + 1) * width), row * width));
  return out;
}

/** Each row's weighted loss; its gradient goes to `grad`, and is not computed without. */
async function lossesOf(
  { loss, tau, alpha }: BlockSettings,
  { scores, labels, weights }: Rows,
  k: number,
  grad: Float64Array | null,
  backend: Backend | null,
): Promise<Float64Array> {
  if (backend !== null) {
    const result = await backend.valueAndGrad(ndarray(Float64Array.from(scores.data), scores.shape), labels, {
      loss,
      k,
      tau,
      alpha,
    });
    return weighted(result.value, result.grad.data as Float64Array, weights, grad);
  }
  const shared = { weights, reduction: "none" } as const;
  const out = grad === null ? undefined : { grad };
  switch (loss) {
    case "smooth-topk":
      return out === undefined
        ? smoothTopkLoss(scores, labels, { ...shared, k, tau, alpha })
        : smoothTopkLossValueAndGrad(scores, labels, { ...shared, k, tau, alpha, out }).value;
    case "topk":
      return out === undefined
        ? topkLoss(scores, labels, { ...shared, k, alpha })
        : topkLossValueAndGrad(scores, labels, { ...shared, k, alpha, out }).value;
    case "cross-entropy":
      return out === undefined
        ? crossEntropy(scores, labels, shared)
        : crossEntropyValueAndGrad(scores, labels, { ...shared, out }).value;
  }
}

function weighted(
  losses: Float64Array,
  gradients: Float64Array,
  weights: Float64Array | undefined,
  grad: Float64Array | null,
): Float64Array {
  const n = gradients.length / losses.length;
  if (weights !== undefined) {
    for (let r = 0; r < losses.length; r++) losses[r] *= weights[r];
    for (let i = 0; i < gradients.length; i++) gradients[i] *= weights[Math.floor(i / n)];
  }
  grad?.set(gradients);
  return losses;
}

/**
 * One scan for all accuracies: the rank of a label is how many classes stand before it, of equal scores those of lower
 * index, as topkAccuracy ranks them.
 */
function countRanks(
  { scores: { data }, labels }: Rows,
  n: number,
  ks: readonly number[],
): { top1: number; topk: number[] } {
  let top1 = 0;
  const topk = ks.map(() => 0);
  for (let r = 0; r < labels.length; r++) {
    const from = r * n;
    const own = from + labels[r];
    const score = data[own];
    let ahead = 0;
    for (let i = from; i < own; i++) if (data[i] >= score) ahead++;
    for (let i = own + 1; i < from + n; i++) if (data[i] > score) ahead++;
    if (ahead === 0) top1++;
    for (let i = 0; i < ks.length; i++) if (ahead < ks[i]) topk[i]++;
  }
  return { top1, topk };
}
