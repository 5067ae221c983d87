/**
 * Joins what several processes found. One process alone gives too narrow an interval: where its code and memory
 * happen to lie, and what its optimiser decided, stay the same for all of its rounds.
 */
import type { Timing } from "./interleaved-timer.ts";
import { median } from "./quantiles.ts";

type Parameters = Readonly<Record<string, number | string>>;

/** One case of a section, as one process timed it. */
export interface ProcessCase {
  readonly parameters: Parameters;
  readonly timings: readonly Timing[];
}

/** Medians over the processes, and the lowest and highest ratio that a process found. */
export interface JoinedTiming extends Timing {
  readonly lowestRatio: number;
  readonly highestRatio: number;
}

export interface JoinedCase {
  readonly parameters: Parameters;
  readonly timings: readonly JoinedTiming[];
}

/** Joins the same cases, in the same order, of several processes. */
export function join(processes: readonly (readonly ProcessCase[])[]): JoinedCase[] {
  return processes[0].map(({ parameters, timings }, c) => ({
    parameters,
    timings: timings.map(({ name }, t) => {
      const found = processes.map((cases) => cases[c].timings[t]);
      const ratios = found.map(({ ratio }) => ratio);
      return {
        name,
        ms: significant(median(found.map(({ ms }) => ms))),
        ratio: significant(median(ratios)),
        lowerQuartile: significant(median(found.map(({ lowerQuartile }) => lowerQuartile))),
        upperQuartile: significant(median(found.map(({ upperQuartile }) => upperQuartile))),
        lowestRatio: significant(Math.min(...ratios)),
        highestRatio: significant(Math.max(...ratios)),
      };
    }),
  }));
}

/** Four digits: timings hold no more. */
export function significant(value: number): number {
  return Number(value.toPrecision(4));
}
