/**
 * One run: a candidate of a combination, trained and measured.
 */
import { accuracyOf } from "../training/accuracy.ts";
import type { Dataset } from "../data/dataset.ts";
import { fit, type Pause } from "../training/fit.ts";
import type { Settings } from "./identity.ts";
import type { Run } from "./journal.ts";
import { withLabelNoise } from "../data/label-noise.ts";
import { createLoss, type LossBackend, rateFactor } from "../training/trained-loss.ts";
import { createModel } from "../training/create-model.ts";
import type { Model, Weights } from "../training/model.ts";
import { type Candidate, type Combination, runId } from "./plan.ts";
import { stream } from "../training/random-streams.ts";
import { type Split, splitDataset } from "../data/split.ts";
import { type Batcher, standardisedBatches } from "../data/standardised-batches.ts";

/** What the runs of a combination have in common. */
export interface Workbench {
  readonly combination: Combination;
  readonly split: Split;
  readonly batches: Batcher;
  readonly noisyLabels: Int32Array;
  readonly model: Model;
}

export function setUp(dataset: Dataset, settings: Settings, combination: Combination): Workbench {
  const { seed, fraction, noise } = combination;
  const split = splitDataset(dataset, seed, fraction);
  return {
    combination,
    split,
    batches: standardisedBatches(dataset, split.training),
    noisyLabels: withLabelNoise(dataset.labels, dataset.superClassOf, noise, seed),
    model: createModel(settings.model, dataset.shape, dataset.classNames.length, settings.hidden),
  };
}

export interface Trial {
  readonly run: Run;
  readonly weights: Weights;
}

/** What runs have in common that is not part of the experiment. */
export interface Means {
  readonly pause: Pause;
  /** Where the loss is computed; here if absent. */
  readonly backend: LossBackend | undefined;
  /** Of this software. */
  readonly commit: string | null;
}

/** Initial weights and the order of samples depend on the seed alone: every loss starts from the same. */
export async function trial(
  dataset: Dataset,
  settings: Settings,
  bench: Workbench,
  candidate: Candidate,
  how: Means,
): Promise<Trial> {
  const { combination, split, batches, noisyLabels, model } = bench;
  const { loss, seed } = combination;
  const { k, alpha } = settings;
  const began = performance.now();
  const { weights, curves, validation, diverged } = await fit(
    model,
    createLoss({ loss, k, alpha, tau: candidate.tau }, how.backend),
    { batches, training: split.training, noisyLabels, validation: split.validation, trueLabels: dataset },
    k,
    { ...settings, learningRate: candidate.learningRate * rateFactor({ loss, k }) },
    { initial: stream(seed, "initial weights"), order: stream(seed, "order of samples") },
    how.pause,
  );
  const test = diverged ? { top1: 0, topk: 0 } : accuracyOf(model, weights, batches, dataset, split.test, k);
  const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
  const id = runId(combination, candidate);
  return {
    run: { id, ...combination, ...candidate, validation, test, diverged, curves, seconds, commit: how.commit },
    weights,
  };
}
