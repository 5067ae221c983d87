/**
 * The losses as differentiable functions of tensors.
 *
 * @module differentiable
 */
export { crossEntropy } from "./cross-entropy.ts";
export { fusedCrossEntropy, fusedSmoothTopkLoss, fusedTopkLoss } from "./fused.ts";
export { smoothTopkLoss } from "./smooth-topk-loss.ts";
export { topkLoss } from "./topk-loss.ts";
