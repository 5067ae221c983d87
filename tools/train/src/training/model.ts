/**
 * What a model is: parameters that are plain objects of arrays, and scores as a function of them that packages/grad
 * differentiates. The models themselves: create-model.ts.
 */
import type { Tensor } from "@smooth-topk/grad";
import type { NdArray } from "ndarray";
import type { Stream } from "./random-streams.ts";

export const MODELS = ["linear", "mlp", "conv"] as const;
export type ModelName = (typeof MODELS)[number];

/** Weights and biases by name. */
export type Weights = Readonly<Record<string, NdArray>>;

export interface Model {
  readonly initial: (random: Stream) => Weights;
  /** Scores [batch, classes] of inputs [batch, ...shape]. */
  readonly scores: (weights: Readonly<Record<string, Tensor>>, inputs: NdArray) => Tensor;
}
