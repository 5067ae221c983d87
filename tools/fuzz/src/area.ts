/**
 * What is fuzzed: an area has families of cases, each a kind of trouble, and a judge of what came out.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random numbers that a seed repeats. */
export interface Random {
  /** Uniform in [low, high). */
  readonly uniform: (low?: number, high?: number) => number;
  /** An integer in [low, high]. */
  readonly integer: (low: number, high: number) => number;
  /** Standard normal. */
  readonly normal: () => number;
  readonly pick: <T>(values: readonly T[]) => T;
}

/** The numbers of case `at` of a run: each case has its own, so that one of them can be drawn again alone. */
export function randomOf(seed: number, at: number): Random {
  const generator = xoroshiro128plus(mixed(seed, at));
  const uniform = (low = 0, high = 1): number => low + (high - low) * uniformFloat64(generator);
  const integer = (low: number, high: number): number => low + Math.floor((high - low + 1) * uniform());
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    pick: (values) => values[integer(0, values.length - 1)],
  };
}

/** xoroshiro's first numbers of neighbouring seeds are alike: the bits are mixed first. */
function mixed(seed: number, at: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(at + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x27d4eb2f);
  return h ^ (h >>> 13);
}

/** A kind of case, as data. */
export interface Family<Case> {
  readonly name: string;
  readonly draw: (random: Random) => Case;
}

/** How a case fared. */
export interface Judged {
  /** The largest error as a fraction of what is allowed: above 1 the case failed. */
  readonly used: number;
  /** What was found, where it failed. */
  readonly reason: string;
}

export interface Area<Case> {
  readonly families: readonly Family<Case>[];
  readonly judge: (example: Case) => Judged | Promise<Judged>;
  /** Simpler cases to try in place of a failing one, the simplest first. */
  readonly simpler: (example: Case) => Iterable<Case>;
  readonly close: () => void;
}

/** An exception is a failure too. */
export async function judged<Case>(area: Area<Case>, example: Case): Promise<Judged> {
  try {
    return await area.judge(example);
  } catch (error) {
    return { used: Infinity, reason: `thrown: ${String(error)}` };
  }
}
