/**
 * Losses with gradients, fused.
 *
 * @module loss
 */
export type { BatchOptions, Buffers, Labels, LossValue, Reduction, Scores, ValueAndGrad } from "./batch.ts";
export { crossEntropy, crossEntropyValueAndGrad } from "./cross-entropy.ts";
export { smoothTopkSvm, type SmoothTopkOptions, smoothTopkSvmValueAndGrad } from "./smooth-topk-svm.ts";
export { topkAccuracy, type TopkAccuracyOptions } from "./topk-accuracy.ts";
export { topkSvm, type TopkOptions, topkSvmValueAndGrad } from "./topk-svm.ts";
