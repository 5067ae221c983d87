/**
 * The losses as differentiable functions of tensors.
 *
 * @module differentiable
 */
export { crossEntropy } from "./cross-entropy.ts";
export { fusedCrossEntropy, fusedSmoothTopkSvm, fusedTopkSvm } from "./fused.ts";
export { smoothTopkSvm } from "./smooth-topk-svm.ts";
export { topkSvm } from "./topk-svm.ts";
