/** The loss and the accuracy in the form that `model.compile` of TensorFlow.js takes. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { smoothTopkLoss, type SmoothTopkOptions } from "./smooth-topk-loss.ts";
import { topkHits } from "./topk-accuracy.ts";
import { topkLoss } from "./topk-loss.ts";

/** A loss or metric of `model.compile`. */
export type LossOrMetric = (labels: Tensor, scores: Tensor) => Tensor;

/**
 * The smooth top-k loss for `model.compile`, whose model ends in scores (no softmax).
 *
 * `model.fit` wants targets of the shape of the scores where the loss is a function: one-hot. `model.fitDataset` takes class indices too,
 * and so do the other forms of training. TensorFlow.js stores losses by name only where they are its own: save such a model without its optimizer.
 *
 * @example
 * ```ts
 * model.compile({ optimizer: "adam", loss: smoothTopk({ k: 5 }), metrics: [topkAccuracy({ k: 5 })] });
 * ```
 */
export function smoothTopk(options: SmoothTopkOptions = {}): LossOrMetric {
  return (labels, scores) => smoothTopkLoss(labels, scores, { ...options, reduction: "none" });
}

/** The hard top-k loss for `model.compile`. */
export function hardTopk(options: Omit<SmoothTopkOptions, "tau"> = {}): LossOrMetric {
  return (labels, scores) => topkLoss(labels, scores, { ...options, reduction: "none" });
}

/** Top-k accuracy as a metric of `model.compile`; its name in logs and histories is `top5` at k = 5. */
export function topkAccuracy(options: { readonly k?: number } = {}): LossOrMetric {
  const metric: LossOrMetric = (labels, scores) => topkHits(labels, scores, options);
  Object.defineProperty(metric, "name", { value: `top${options.k ?? 5}` });
  return metric;
}
