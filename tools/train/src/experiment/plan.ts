/**
 * What is trained: every combination of loss, noise, fraction and seed, and for each the candidates among which
 * validation chooses.
 */
import type { LossName } from "../training/trained-loss.ts";

/** One cell of the experiment, for one seed. */
export interface Combination {
  readonly loss: LossName;
  readonly noise: number;
  readonly fraction: number;
  readonly seed: number;
}

/** What validation chooses among. */
export interface Candidate {
  /** Temperature; null where the loss has none. */
  readonly tau: number | null;
  /** Before it is scaled to the loss. */
  readonly learningRate: number;
}

export interface Axes {
  readonly losses: readonly LossName[];
  readonly noises: readonly number[];
  readonly fractions: readonly number[];
  readonly seeds: readonly number[];
}

/** All combinations; the losses of a cell stand together, so that an unfinished experiment compares what it has. */
export function combinations({ losses, noises, fractions, seeds }: Axes): Combination[] {
  return seeds.flatMap((seed) =>
    fractions.flatMap((fraction) => noises.flatMap((noise) => losses.map((loss) => ({ loss, noise, fraction, seed })))),
  );
}

/**
 * The candidates of a loss: temperatures times learning rates for the smooth loss, and as many learning rates for a loss
 * without a temperature, spread over the same range. Every loss gets the same number of trials.
 */
export function candidates(loss: LossName, taus: readonly number[], learningRates: readonly number[]): Candidate[] {
  if (loss === "smooth-topk") {
    return taus.flatMap((tau) => learningRates.map((learningRate) => ({ tau, learningRate })));
  }
  return spread(learningRates, taus.length * learningRates.length).map((learningRate) => ({ tau: null, learningRate }));
}

/** `count` rates, evenly spaced on a logarithmic scale over the range of those given; a single one is stepped by 3. */
function spread(rates: readonly number[], count: number): number[] {
  if (count === rates.length) return [...rates];
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  const [from, step] = low === high ? [low / 3 ** ((count - 1) / 2), 3] : [low, (high / low) ** (1 / (count - 1))];
  // Four digits: a name in a table, and the same number on every machine.
  return Array.from({ length: count }, (_, i) => Number((from * step ** i).toPrecision(4)));
}

/** The name of a run: what it is, in words. */
export function runId({ loss, noise, fraction, seed }: Combination, { tau, learningRate }: Candidate): string {
  const temperature = tau === null ? "" : ` tau=${tau}`;
  return `${loss} noise=${noise} fraction=${fraction} seed=${seed}${temperature} rate=${learningRate}`;
}
