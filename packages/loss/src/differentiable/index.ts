/**
 * The losses as differentiable functions of tensors.
 *
 * @module differentiable
 */
export { crossEntropy, smoothTopkLoss, topkLoss } from "./losses.ts";
