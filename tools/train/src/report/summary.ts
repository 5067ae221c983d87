/**
 * What came out: for each combination and seed the run that validation chose, and their means over the seeds.
 */
import type { Accuracy } from "../training/accuracy.ts";
import { chooseByValidation } from "../experiment/choose.ts";
import type { Identity } from "../experiment/identity.ts";
import type { Run } from "../experiment/journal.ts";
import type { LossName } from "../training/trained-loss.ts";

export interface Mean {
  readonly mean: number;
  /** Standard error of the mean; null for a single seed. */
  readonly standardError: number | null;
}

export interface Summary {
  readonly loss: LossName;
  readonly noise: number;
  readonly fraction: number;
  readonly seeds: number;
  readonly top1: Mean;
  readonly topk: Mean;
  /** What is gained over cross-entropy at the same seeds: the mean of the differences. Null where there is none. */
  readonly gain: { readonly top1: Mean; readonly topk: Mean } | null;
  /** The chosen runs, by seed. */
  readonly chosen: readonly Run[];
}

/** All that an experiment has found so far. */
export interface Results {
  readonly identity: Identity;
  readonly runs: readonly Run[];
  readonly summary: readonly Summary[];
  /** Whether all that was asked for is done: false after an interruption. */
  readonly complete: boolean;
}

export function meanOf(values: readonly number[]): Mean {
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  if (n < 2) return { mean, standardError: null };
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / (n - 1) / n) };
}

function groupedBy<T>(items: Iterable<T>, key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const list = groups.get(key(item));
    if (list === undefined) groups.set(key(item), [item]);
    else list.push(item);
  }
  return [...groups.values()];
}

/** The chosen run of each combination and seed of which every candidate is done. */
export function chosenRuns(runs: Iterable<Run>, candidatesEach: number): Run[] {
  return groupedBy(runs, ({ loss, noise, fraction, seed }) => [loss, noise, fraction, seed].join())
    .filter((group) => group.length === candidatesEach)
    .map((group) => chooseByValidation(group));
}

/** Means over seeds, in the order of noise, fraction (the largest first) and loss. */
export function summarise(chosen: readonly Run[]): Summary[] {
  const order: readonly LossName[] = ["cross-entropy", "smooth-topk", "topk"];
  const groups = groupedBy(chosen, ({ loss, noise, fraction }) => [loss, noise, fraction].join());
  return groups
    .map((group) => {
      const [{ loss, noise, fraction }] = group;
      const bySeed = group.toSorted((a, b) => a.seed - b.seed);
      const of = (which: keyof Accuracy): Mean => meanOf(bySeed.map(({ test }) => test[which]));
      return {
        loss,
        noise,
        fraction,
        seeds: group.length,
        top1: of("top1"),
        topk: of("topk"),
        gain: loss === "cross-entropy" ? null : gainOver(bySeed, chosen),
        chosen: bySeed,
      };
    })
    .toSorted((a, b) => a.noise - b.noise || b.fraction - a.fraction || order.indexOf(a.loss) - order.indexOf(b.loss));
}

/** Splits, noise, weights and order are the same for all losses of a seed, so differences are taken seed by seed. */
function gainOver(group: readonly Run[], chosen: readonly Run[]): Summary["gain"] {
  const pairs = group.flatMap((run) => {
    const base = chosen.find(
      ({ loss, noise, fraction, seed }) =>
        loss === "cross-entropy" && noise === run.noise && fraction === run.fraction && seed === run.seed,
    );
    return base === undefined ? [] : [{ run, base }];
  });
  if (pairs.length === 0) return null;
  const of = (which: keyof Accuracy): Mean => meanOf(pairs.map(({ run, base }) => run.test[which] - base.test[which]));
  return { top1: of("top1"), topk: of("topk") };
}

export interface TemperatureEffect {
  readonly tau: number;
  readonly noise: number;
  readonly fraction: number;
  readonly top1: Mean;
  readonly topk: Mean;
}

/** The smooth loss at each temperature, its learning rate chosen on validation. */
export function temperatureEffects(runs: Iterable<Run>, ratesEach: number): TemperatureEffect[] {
  const smooth = [...runs].filter(({ loss }) => loss === "smooth-topk");
  const perSeed = groupedBy(smooth, ({ noise, fraction, seed, tau }) => [noise, fraction, seed, tau].join())
    .filter((group) => group.length === ratesEach)
    .map((group) => chooseByValidation(group));
  return groupedBy(perSeed, ({ noise, fraction, tau }) => [noise, fraction, tau].join()).map((group) => ({
    tau: group[0].tau as number,
    noise: group[0].noise,
    fraction: group[0].fraction,
    top1: meanOf(group.map(({ test }) => test.top1)),
    topk: meanOf(group.map(({ test }) => test.topk)),
  }));
}
