/**
 * What goes into the evaluation of a block and what comes out: plain data, which crosses threads.
 */
import type { Numbers } from "@smooth-topk/array-files";
import type { LOSSES } from "./backends.ts";

/** What all blocks of an evaluation have in common. */
export interface BlockSettings {
  readonly loss: (typeof LOSSES)[number];
  /** One or more; the losses of all of them are computed, and the gradient of the first. */
  readonly ks: readonly number[];
  readonly tau: number;
  readonly alpha: number;
  readonly n: number;
  readonly ignoreIndex: number | null;
  readonly wantGrad: boolean;
  /** What the gradient is multiplied by: one over the sum of the weights, where the loss is a mean. */
  readonly gradScale: number;
  readonly scoresName: string;
  readonly labelsName: string;
}

export interface ScoreBlock {
  /** The first row's number in the file. */
  readonly firstRow: number;
  /** Row-major. */
  readonly scores: Numbers;
  readonly labels: Float64Array;
  /** One for each row, or null for ones. */
  readonly weights: Float64Array | null;
}

export interface BlockResult {
  /** For each k, the weighted loss of each row; 0 where it is ignored. */
  readonly losses: readonly Float64Array[];
  /** How many rows have their label first. */
  readonly top1: number;
  /** For each k, how many have it among the k best. */
  readonly topk: readonly number[];
  /** How many rows count. */
  readonly counted: number;
  readonly grad: Float64Array | null;
}
