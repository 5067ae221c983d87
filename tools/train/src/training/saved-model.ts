/**
 * --save: the weights that validation chose, with their scores of the test samples, in one file that `smooth-topk eval`
 * reads.
 */
import { join } from "node:path";
import { safetensorsBytes, type TensorToWrite, writeWhole } from "@smooth-topk/array-files";
import { scoresOf } from "./accuracy.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Run } from "../experiment/journal.ts";
import type { Model, Weights } from "./model.ts";
import type { Combination } from "../experiment/plan.ts";
import type { Batcher } from "../data/standardised-batches.ts";

export function modelPath(folder: string, { loss, noise, fraction, seed }: Combination): string {
  return join(folder, "models", `${loss}-noise-${noise}-fraction-${fraction}-seed-${seed}.safetensors`);
}

/** Writes a model whole. Tensors: the weights, `test_scores` [samples, classes], `test_labels` [samples]. */
export async function saveModel(
  folder: string,
  run: Run,
  model: Model,
  weights: Weights,
  batches: Batcher,
  dataset: Dataset,
  test: Int32Array,
): Promise<void> {
  const tensors: Record<string, TensorToWrite> = {};
  for (const [name, { data, shape }] of Object.entries(weights)) tensors[name] = { shape, data: data as Float64Array };
  tensors["test_scores"] = {
    shape: [test.length, dataset.classNames.length],
    data: scoresOf(model, weights, batches, test),
  };
  tensors["test_labels"] = { shape: [test.length], data: test.map((i) => dataset.labels[i]) };
  await writeWhole(modelPath(folder, run), safetensorsBytes(tensors, { run: run.id, data: dataset.name }));
}
