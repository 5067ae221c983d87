/**
 * The losses that are compared, each with its fused gradient.
 */
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad, topkLossValueAndGrad } from "@smooth-topk/loss";
import ndarray, { type NdArray } from "ndarray";

export const LOSSES = ["cross-entropy", "smooth-topk", "topk"] as const;
export type LossName = (typeof LOSSES)[number];

export interface LossOptions {
  readonly loss: LossName;
  readonly k: number;
  readonly alpha: number;
  /** Of the smooth loss; null for the others. */
  readonly tau: number | null;
}

/** Where losses are computed, if not here. */
export interface LossBackend {
  readonly name: string;
  /** Each row's loss, and the gradient of it. */
  valueAndGrad(
    scores: NdArray<Float64Array>,
    labels: readonly number[],
    options: { readonly loss: LossName; readonly k: number; readonly alpha: number; readonly tau: number },
  ): Promise<{ readonly value: Float64Array; readonly grad: NdArray }>;
}

/** The mean over a batch and its gradient in the scores [batch, n]. */
export type Loss = (
  scores: NdArray<Float64Array>,
  labels: Int32Array,
) => Promise<{ readonly value: number; readonly grad: NdArray }>;

/** A loss as this process computes it, or as a backend does. */
export function createLoss({ loss, k, alpha, tau }: LossOptions, backend?: LossBackend): Loss {
  if (backend !== undefined) {
    const options = { loss, k, alpha, tau: tau ?? 1 };
    return async (scores, labels) => meanOfRows(await backend.valueAndGrad(scores, [...labels], options), scores.shape);
  }
  switch (loss) {
    case "cross-entropy":
      return async (scores, labels) => crossEntropyValueAndGrad(scores, labels);
    case "topk":
      return async (scores, labels) => topkLossValueAndGrad(scores, labels, { k, alpha });
    case "smooth-topk":
      return async (scores, labels) => smoothTopkLossValueAndGrad(scores, labels, { k, alpha, tau: tau ?? 1 });
  }
}

function meanOfRows(
  { value, grad }: { readonly value: Float64Array; readonly grad: NdArray },
  [batch, n]: readonly number[],
): { readonly value: number; readonly grad: NdArray } {
  const mean = new Float64Array(batch * n);
  for (let b = 0; b < batch; b++) for (let i = 0; i < n; i++) mean[b * n + i] = grad.get(b, i) / batch;
  return { value: value.reduce((sum, v) => sum + v, 0) / batch, grad: ndarray(mean, [batch, n]) };
}

/**
 * What a learning rate is multiplied by: the top-k losses take the scores divided by k, so their gradients are k times
 * smaller than cross-entropy's. With this factor one list of learning rates fits all losses.
 */
export function rateFactor({ loss, k }: Pick<LossOptions, "loss" | "k">): number {
  return loss === "cross-entropy" ? 1 : k;
}
