/**
 * Batches as the model sees them: each channel of an image, or each feature, with mean 0 and variance 1 over the training
 * samples.
 */
import ndarray, { type NdArray } from "ndarray";
import { type Dataset, sampleSize } from "./dataset.ts";

/** The samples of these indices, standardised, shape [indices.length, ...shape]. */
export type Batcher = (indices: Int32Array) => NdArray<Float64Array>;

/**
 * Measures mean and variance on the training samples alone: nothing of validation or test is in them. What does not
 * vary there is only centred.
 */
export function standardisedBatches(dataset: Dataset, training: Int32Array): Batcher {
  const { inputs, shape } = dataset;
  const size = sampleSize(dataset);
  const groups = shape[0];
  const perGroup = size / groups;
  const mean = new Float64Array(groups);
  const scale = new Float64Array(groups);
  const count = training.length * perGroup;
  for (let g = 0; g < groups; g++) {
    let sum = 0;
    for (const sample of training) {
      const from = sample * size + g * perGroup;
      for (let i = from; i < from + perGroup; i++) sum += inputs[i];
    }
    mean[g] = sum / count;
    let squares = 0;
    for (const sample of training) {
      const from = sample * size + g * perGroup;
      for (let i = from; i < from + perGroup; i++) squares += (inputs[i] - mean[g]) ** 2;
    }
    scale[g] = squares > 0 ? 1 / Math.sqrt(squares / count) : 1;
  }
  return (indices) => {
    const out = new Float64Array(indices.length * size);
    indices.forEach((sample, row) => {
      let at = row * size;
      let from = sample * size;
      for (let g = 0; g < groups; g++) {
        const m = mean[g];
        const s = scale[g];
        for (let i = 0; i < perGroup; i++) out[at++] = (inputs[from++] - m) * s;
      }
    });
    return ndarray(out, [indices.length, ...shape]);
  };
}
