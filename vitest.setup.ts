/**
 * One seed for every property of a run: FC_SEED repeats a run, FC_RUNS makes it longer.
 */
import * as fc from "fast-check";

const seed = Number(process.env.FC_SEED);
const runs = Number(process.env.FC_RUNS);
fc.configureGlobal({
  seed,
  ...(Number.isInteger(runs) && runs > 0 ? { numRuns: runs } : {}),
});
