/**
 * `smooth-topk train`: every combination, resumable, written down as it goes.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BadInput, systemReason, writeWhole } from "@smooth-topk/array-files";
import ndarray from "ndarray";
import { chooseByValidation } from "./choose.ts";
import { commitOfThisSoftware } from "./commit.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Pause } from "../training/fit.ts";
import { lockFolder } from "./folder-lock.ts";
import { claimFolder, type Identity, identityOf, type Settings } from "./identity.ts";
import { type Journal, openJournal, type Run } from "./journal.ts";
import { type DataOptions, openDataset } from "../data/open-dataset.ts";
import { type Axes, type Candidate, candidates, type Combination, combinations, runId } from "./plan.ts";
import { readReference, type ReferenceTable } from "../report/reference-table.ts";
import { reportPage } from "../report/report-page.ts";
import { createLoss, type LossBackend } from "../training/trained-loss.ts";
import { modelPath, saveModel } from "../training/saved-model.ts";
import { splitDataset } from "../data/split.ts";
import { chosenRuns, type Results, summarise } from "../report/summary.ts";
import { type Means, setUp, trial, type Trial } from "./trial.ts";

export interface ExperimentOptions extends Axes, DataOptions, Settings {
  /** Folder of the results. */
  readonly out: string;
  /** Whether to keep the chosen models. */
  readonly save: boolean;
  /** File of a table that the report draws beside its own: reference-table.ts. */
  readonly reference?: string | undefined;
  /** Where losses are computed; in this process if absent. */
  readonly backend?: LossBackend | undefined;
}

/** Told what happens; a progress bar, for one. */
export interface Watcher {
  /** @param work  sample passes still to come. */
  readonly planned?: (runs: { done: number; total: number }, work: number) => void;
  readonly started?: (combination: Combination, candidate: Candidate) => void;
  readonly advanced?: (work: number) => void;
  readonly finished?: (run: Run) => void;
}

/** Thrown from a pause to leave a run unfinished. */
class Interrupted extends Error {}

/** How long training keeps the event loop waiting, in milliseconds. */
const STRETCH = 50;

/**
 * Trains what is not there yet and writes results.json and report.html.
 *
 * @param signal  aborting it leaves the run under way and writes what is finished.
 * @throws BadInput before anything is trained, if data or settings are wrong.
 */
export async function runExperiment(
  options: ExperimentOptions,
  watcher: Watcher = {},
  signal?: AbortSignal,
): Promise<Results> {
  const dataset = await openDataset(options);
  checkSettings(options, dataset);
  await checkBackend(options, dataset);
  const { out } = options;
  const reference = options.reference === undefined ? undefined : await readReference(options.reference);
  const release = await openFolder(out, options.save);
  try {
    const identity = identityOf(dataset, options, options.backend?.name ?? "cpu");
    await claimFolder(out, identity);
    const journal = await openJournal(join(out, "runs.jsonl"));
    try {
      const complete = await trainAll(options, dataset, journal, watcher, signal);
      return await writeResults(out, identity, journal, complete, reference);
    } finally {
      await journal.close();
    }
  } finally {
    release();
  }
}

function checkSettings({ k, model }: Settings, { name, shape, classNames }: Dataset): void {
  if (model === "conv" && shape.length !== 3) {
    throw new BadInput(`--model: conv takes images, and the samples of ${name} are lists of ${shape[0]} features`);
  }
  if (k > classNames.length - 1) {
    throw new BadInput(`--k: k must be at most n - 1: got k = ${k}, n = ${classNames.length} in ${name}`);
  }
}

/** Tries every loss once: what a backend cannot compute, it says now and not after an hour. */
async function checkBackend({ backend, losses, taus, k, alpha }: ExperimentOptions, dataset: Dataset): Promise<void> {
  if (backend === undefined) return;
  const n = dataset.classNames.length;
  for (const loss of losses) {
    for (const tau of taus) {
      await createLoss({ loss, k, alpha, tau }, backend)(ndarray(new Float64Array(n), [1, n]), Int32Array.of(0));
    }
  }
}

async function openFolder(out: string, save: boolean): Promise<() => void> {
  try {
    await mkdir(save ? join(out, "models") : out, { recursive: true });
    return lockFolder(out);
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(`--out: ${out}: ${systemReason(error)}`);
  }
}

async function trainAll(
  options: ExperimentOptions,
  dataset: Dataset,
  journal: Journal,
  watcher: Watcher,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const plan = combinations(options).map((combination) => {
    const all = candidates(combination.loss, options.taus, options.learningRates);
    return { combination, all, missing: all.filter((candidate) => !journal.runs.has(runId(combination, candidate))) };
  });
  const total = plan.reduce((sum, { all }) => sum + all.length, 0);
  const missing = plan.reduce((sum, part) => sum + part.missing.length, 0);
  const work = plan.reduce(
    (sum, part) =>
      sum +
      part.missing.length * options.epochs * trainingSize(dataset, part.combination.seed, part.combination.fraction),
    0,
  );
  watcher.planned?.({ done: total - missing, total }, work);
  const means: Means = {
    pause: pauses(watcher, signal),
    backend: options.backend,
    commit: commitOfThisSoftware(),
  };
  try {
    for (const { combination, all, missing: candidatesLeft } of plan) {
      const needsModel = options.save && !existsSync(modelPath(options.out, combination));
      if (candidatesLeft.length === 0 && !needsModel) continue;
      const bench = setUp(dataset, options, combination);
      let best: Trial | null = null;
      for (const candidate of candidatesLeft) {
        watcher.started?.(combination, candidate);
        const tried = await trial(dataset, options, bench, candidate, means);
        await journal.append(tried.run);
        watcher.finished?.(tried.run);
        if (best === null || chooseByValidation([best.run, tried.run]) === tried.run) best = tried;
      }
      if (!options.save) continue;
      const chosen = chooseByValidation(all.map((c) => journal.runs.get(runId(combination, c)) as Run));
      // Weights of runs from before an interruption are gone, and come out the same when trained again.
      const kept = best?.run.id === chosen.id ? best : await trial(dataset, options, bench, chosen, means);
      await saveModel(options.out, chosen, bench.model, kept.weights, bench.batches, dataset, bench.split.test);
    }
  } catch (error) {
    if (error instanceof Interrupted) return false;
    throw error;
  }
  return true;
}

function trainingSize(dataset: Dataset, seed: number, fraction: number): number {
  return splitDataset(dataset, seed, fraction).training.length;
}

/** Lets the event loop run now and then, for signals and the progress bar. */
function pauses({ advanced }: Watcher, signal: AbortSignal | undefined): Pause {
  let last = performance.now();
  let work = 0;
  return async (samples) => {
    work += samples;
    if (performance.now() - last < STRETCH) return;
    advanced?.(work);
    work = 0;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (signal?.aborted === true) throw new Interrupted();
    last = performance.now();
  };
}

async function writeResults(
  out: string,
  identity: Identity,
  journal: Journal,
  complete: boolean,
  reference: ReferenceTable | undefined,
): Promise<Results> {
  const runs = [...journal.runs.values()];
  const perLoss = identity.taus.length * identity.learningRates.length;
  const chosen = chosenRuns(runs, perLoss);
  const summary = summarise(chosen);
  const ids = new Set(chosen.map(({ id }) => id));
  const file = {
    experiment: identity,
    complete,
    summary: summary.map(({ chosen: runsOfCell, ...cell }) => ({ ...cell, chosen: runsOfCell.map(({ id }) => id) })),
    runs: runs.map((run) => Object.assign({ chosen: ids.has(run.id) }, run)),
  };
  await writeWhole(join(out, "results.json"), `${JSON.stringify(file, null, 1)}\n`);
  const results = { identity, runs, summary, complete };
  await writeWhole(join(out, "report.html"), reportPage(results, reference));
  return results;
}
