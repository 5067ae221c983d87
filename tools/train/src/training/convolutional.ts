/**
 * A small convolutional network, of the size that a processor trains in minutes.
 */
import { add, conv2d, heNormal, matmul, maxPool2d, relu, reshape, type Tensor } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";
import type { Model } from "./model.ts";

const CHANNELS = [8, 16];
const KERNEL = 3;
const POOL = { size: 2, stride: 2 };

/**
 * Twice a convolution by 3 x 3 kernels that keeps the size, relu and the maximum over 2 x 2; then scores linear in what
 * is left.
 *
 * @param shape  [channels, height, width], at least 4 pixels along each side.
 */
export function convolutional([channels, height, width]: readonly number[], classes: number): Model {
  const [first, second] = CHANNELS;
  const size = second * Math.floor(Math.floor(height / 2) / 2) * Math.floor(Math.floor(width / 2) / 2);
  const bias = (length: number): NdArray => ndarray(new Float64Array(length), [length]);
  const layer = (x: Tensor, w: Tensor, b: Tensor, outputs: number): Tensor =>
    maxPool2d(relu(add(conv2d(x, w, { padding: 1 }), reshape(b, [outputs, 1, 1]))), POOL);
  return {
    initial: ({ uniform }) => ({
      w1: heNormal([first, channels, KERNEL, KERNEL], channels * KERNEL ** 2, uniform),
      b1: bias(first),
      w2: heNormal([second, first, KERNEL, KERNEL], first * KERNEL ** 2, uniform),
      b2: bias(second),
      w3: heNormal([size, classes], size, uniform),
      b3: bias(classes),
    }),
    scores: ({ w1, b1, w2, b2, w3, b3 }, inputs) => {
      const features = layer(layer(inputs, w1, b1, first), w2, b2, second);
      return add(matmul(reshape(features, [inputs.shape[0], size]), w3), b3);
    },
  };
}
