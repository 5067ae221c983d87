/**
 * Times contenders in turns within one process, A B A B ..., so that a slow moment of the machine falls on all of
 * them and cancels in the ratios.
 */
import { median, quantile } from "./quantiles.ts";

export interface Contender {
  readonly name: string;
  /** Does the work once. It has to leave its results where the optimiser cannot see them unused. */
  readonly run: () => void;
}

/** How long to time. */
export interface Effort {
  /** Time for the rounds that count, all contenders together. */
  readonly seconds: number;
  /** Rounds that are run even if they take longer. */
  readonly fewestRounds: number;
}

/** Milliseconds per call by round. */
export interface Samples {
  readonly name: string;
  readonly ms: Float64Array;
}

/** What one process found about a contender: milliseconds per call, and quartiles of the ratios round by round. */
export interface Timing {
  readonly name: string;
  readonly ms: number;
  readonly ratio: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/** A contender's turn lasts at least this, in milliseconds: far above the clock's resolution. */
const SHORTEST_TURN = 1;
/** Calls shorter than this, in milliseconds, are preceded by one that is not timed: scratch memory and caches are its own. */
const PRIMED_BELOW = 50;

/**
 * Warms up for a third of the time (two rounds at least), then times rounds in which each contender has one turn; the
 * first of a round is another one each time.
 */
export function interleave(contenders: readonly Contender[], effort: Effort): Samples[] {
  const single = contenders.map(() => Infinity);
  const warm = performance.now();
  for (let round = 0; round < 2 || performance.now() - warm < (effort.seconds * 1000) / 3; round++) {
    for (const [c, { run }] of contenders.entries()) single[c] = Math.min(single[c], time(run, 1));
  }
  const calls = single.map((ms) => Math.max(1, Math.ceil(SHORTEST_TURN / ms)));
  const samples = contenders.map((): number[] => []);
  const began = performance.now();
  for (let round = 0; round < effort.fewestRounds || performance.now() - began < effort.seconds * 1000; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const c = (turn + round) % contenders.length;
      const { run } = contenders[c];
      if (single[c] < PRIMED_BELOW) run();
      samples[c].push(time(run, calls[c]));
    }
  }
  return contenders.map(({ name }, c) => ({ name, ms: Float64Array.from(samples[c]) }));
}

function time(run: () => void, calls: number): number {
  const began = performance.now();
  for (let call = 0; call < calls; call++) run();
  return (performance.now() - began) / calls;
}

/** Medians, and quartiles of the ratios to the baseline of the same round. */
export function summarise(samples: readonly Samples[], baseline: string): Timing[] {
  const base = samples.find(({ name }) => name === baseline);
  if (base === undefined) throw new Error(`no contender is called ${baseline}`);
  return samples.map(({ name, ms }) => {
    const ratios = ms.map((value, round) => value / base.ms[round]);
    return {
      name,
      ms: median(ms),
      ratio: median(ratios),
      lowerQuartile: quantile(ratios, 0.25),
      upperQuartile: quantile(ratios, 0.75),
    };
  });
}
