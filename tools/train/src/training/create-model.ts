/**
 * The models by name.
 */
import { add, heNormal, matmul, relu, reshape, type Tensor } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";
import { convolutional } from "./convolutional.ts";
import type { Model, ModelName } from "./model.ts";

function zeros(length: number): NdArray {
  return ndarray(new Float64Array(length), [length]);
}

/** Flattens all but the first dimension. */
function flattened(inputs: NdArray, size: number): Tensor {
  return inputs.shape.length === 2 ? inputs : reshape(inputs, [inputs.shape[0], size]);
}

/** Scores x W + b. */
function linear(size: number, classes: number): Model {
  return {
    // The problem is convex: it starts from 0 whatever the seed.
    initial: () => ({ w: ndarray(new Float64Array(size * classes), [size, classes]), b: zeros(classes) }),
    scores: ({ w, b }, inputs) => add(matmul(flattened(inputs, size), w), b),
  };
}

/** Scores relu(x W1 + b1) W2 + b2. */
function perceptron(size: number, classes: number, hidden: number): Model {
  return {
    initial: ({ uniform }) => ({
      w1: heNormal([size, hidden], size, uniform),
      b1: zeros(hidden),
      w2: heNormal([hidden, classes], hidden, uniform),
      b2: zeros(classes),
    }),
    scores: ({ w1, b1, w2, b2 }, inputs) => add(matmul(relu(add(matmul(flattened(inputs, size), w1), b1)), w2), b2),
  };
}

/** The model of a name for samples of a shape. */
export function createModel(name: ModelName, shape: readonly number[], classes: number, hidden: number): Model {
  const size = shape.reduce((product, d) => product * d, 1);
  switch (name) {
    case "linear":
      return linear(size, classes);
    case "mlp":
      return perceptron(size, classes, hidden);
    case "conv":
      return convolutional(shape, classes);
  }
}
