/**
 * What all runs of a folder have in common: runs of other data or settings do not belong in one comparison.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BadInput, writeWhole } from "@smooth-topk/array-files";
import { type Dataset, fingerprint } from "../data/dataset.ts";
import type { FitOptions } from "../training/fit.ts";
import type { ModelName } from "../training/model.ts";

export interface Settings extends Omit<FitOptions, "learningRate"> {
  readonly model: ModelName;
  readonly hidden: number;
  readonly k: number;
  readonly alpha: number;
  readonly taus: readonly number[];
  readonly learningRates: readonly number[];
}

export interface Identity extends Settings {
  readonly data: string;
  readonly samples: number;
  readonly classes: number;
  readonly superClasses: number;
  /** Where the loss was computed: other precisions give other digits. */
  readonly backend: string;
  readonly shape: readonly number[];
  readonly fingerprint: string;
}

export function identityOf(dataset: Dataset, settings: Settings, backend: string): Identity {
  const { model, hidden, epochs, batchSize, momentum, weightDecay, k, alpha, taus, learningRates } = settings;
  return {
    data: dataset.name,
    samples: dataset.labels.length,
    classes: dataset.classNames.length,
    superClasses: new Set(dataset.superClassOf).size,
    shape: dataset.shape,
    fingerprint: fingerprint(dataset),
    backend,
    model,
    hidden,
    epochs,
    batchSize,
    momentum,
    weightDecay,
    k,
    alpha,
    taus,
    learningRates,
  };
}

/** Writes the identity into a new folder, or checks it against that of the runs which are there. */
export async function claimFolder(folder: string, identity: Identity): Promise<void> {
  const path = join(folder, "experiment.json");
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) {
    await writeWhole(path, `${JSON.stringify(identity, null, 2)}\n`);
    return;
  }
  let before: Readonly<Record<string, unknown>>;
  try {
    before = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new BadInput(`${path}: is not JSON; name another --out`);
  }
  for (const [key, value] of Object.entries(identity)) {
    const [had, has] = [JSON.stringify(before[key]), JSON.stringify(value)];
    if (had !== has) {
      throw new BadInput(`--out: ${folder} holds runs with ${key} ${had}, these have ${has}: name another folder`);
    }
  }
}
