/**
 * Losses with gradients, fused.
 *
 * @module loss
 */
export type { BatchOptions, Buffers, Labels, LossValue, Reduction, Scores, ValueAndGrad } from "./batch.ts";
export { crossEntropy, crossEntropyValueAndGrad } from "./cross-entropy.ts";
export { type Losses, lossesOn, type SyncLosses } from "./losses-on.ts";
export { smoothTopkLoss, type SmoothTopkOptions, smoothTopkLossValueAndGrad } from "./smooth-topk-loss.ts";
export { topkAccuracy, type TopkAccuracyOptions } from "./topk-accuracy.ts";
export { topkLoss, type TopkOptions, topkLossValueAndGrad } from "./topk-loss.ts";
