/**
 * One seed for every property of a run: FC_SEED repeats a run, FC_RUNS sets how many cases each property tries.
 *
 * scripts/test.mjs chooses and prints the seed. In a vitest started otherwise each property has a seed of its own, which
 * fast-check prints where it fails.
 */
import * as fc from "fast-check";

interface MetaOfPage {
  readonly env: Readonly<Record<string, string | undefined>>;
}

// A browser has no process; Vite puts the variables of vitest.browser.ts in place of the words import.meta.env.
const { FC_SEED: seed, FC_RUNS: runs } =
  typeof process === "object" ? process.env : (import.meta as unknown as MetaOfPage).env;

/** fast-check would take NaN for a seed, and a wrong name for a count would silently test less. */
function integer(name: string, value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !Number.isSafeInteger(number))
    throw new RangeError(`${name} is "${value}", expected an integer`);
  return number;
}

fc.configureGlobal({
  ...(seed === undefined ? {} : { seed: integer("FC_SEED", seed) }),
  ...(runs === undefined ? {} : { numRuns: integer("FC_RUNS", runs) }),
});
