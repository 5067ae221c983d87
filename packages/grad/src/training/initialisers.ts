/**
 * Random starting values for weights, scaled so that a layer keeps the variance of what passes through it.
 */
import { allocate, type Dtype, type FloatArray, sizeOf, wrap } from "../arrays/layout.ts";

/** Uniform in [0, 1). */
export type Random = () => number;

/**
 * Normal with variance 2 / fanIn: keeps the variance of activations through layers with rectifiers.
 *
 * @param fanIn  inputs of each output: rows of a weight matrix, C kh kw of a convolution's [O, C, kh, kw].
 * @param dtype  default float64.
 * He, Zhang, Ren, Sun (2015), equation (10).
 */
export function heNormal(
  shape: readonly number[],
  fanIn: number,
  random: Random,
  dtype: Dtype = "float64",
): FloatArray {
  const scale = Math.sqrt(2 / fanIn);
  return filled(shape, dtype, () => scale * standardNormal(random));
}

/**
 * Uniform in [-a, a), a = sqrt(6 / (fanIn + fanOut)): balances the variances of activations and cotangents.
 *
 * @param dtype  default float64.
 * Glorot, Bengio (2010), equation (16).
 */
export function glorotUniform(
  shape: readonly number[],
  fanIn: number,
  fanOut: number,
  random: Random,
  dtype: Dtype = "float64",
): FloatArray {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return filled(shape, dtype, () => limit * (2 * random() - 1));
}

function filled(shape: readonly number[], dtype: Dtype, next: () => number): FloatArray {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = next();
  return wrap(data, shape);
}

/** Box and Muller's transform; 1 - random() is never 0. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
