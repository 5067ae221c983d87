/**
 * The losses that are compared, each with its fused gradient.
 */
import { crossEntropyValueAndGrad, smoothTopkSvmValueAndGrad, topkSvmValueAndGrad } from "@smooth-topk/loss";
import type { NdArray } from "ndarray";

export const LOSSES = ["cross-entropy", "smooth-topk", "topk"] as const;
export type LossName = (typeof LOSSES)[number];

export interface LossOptions {
  readonly loss: LossName;
  readonly k: number;
  readonly alpha: number;
  /** Of the smooth loss; null for the others. */
  readonly tau: number | null;
}

/** The mean over a batch and its gradient in the scores [batch, n]. */
export type Loss = (scores: NdArray, labels: Int32Array) => { readonly value: number; readonly grad: NdArray };

export function createLoss({ loss, k, alpha, tau }: LossOptions): Loss {
  switch (loss) {
    case "cross-entropy":
      return (scores, labels) => crossEntropyValueAndGrad(scores, labels);
    case "topk":
      return (scores, labels) => topkSvmValueAndGrad(scores, labels, { k, alpha });
    case "smooth-topk":
      return (scores, labels) => smoothTopkSvmValueAndGrad(scores, labels, { k, alpha, tau: tau ?? 1 });
  }
}

/**
 * What a learning rate is multiplied by: the top-k losses take the scores divided by k, so their gradients are k times
 * smaller than cross-entropy's. With this factor one list of learning rates fits all losses.
 */
export function rateFactor({ loss, k }: Pick<LossOptions, "loss" | "k">): number {
  return loss === "cross-entropy" ? 1 : k;
}
