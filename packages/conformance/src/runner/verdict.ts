/**
 * How good a function of a port is, in steps, for those who are not yet within the contract or need not be.
 *
 * - wrong: not fit to train with.
 * - trainable: the loss within 1e-5 max(tau, loss), a gradient entry within 1e-3 of the row's largest or 1e-6 / k, log sigma
 *   within 1e-5 max(1, abs(value)), inclusion within 1e-3 of the row's largest, hvp as in single precision.
 * - single precision: what the contract asks of float32.
 * - exact: within the contract of its precision, and bad input refused.
 *
 * All but "exact" are judged by the valid cases alone.
 */
import { contractOf } from "../contract.ts";
import { UNIT } from "../dtypes.ts";
import { errorInU } from "../error-in-u.ts";
import { fromJson, numbersOf } from "../vectors/vector-file.ts";
import type { CaseOutcome } from "./case-outcome.ts";
import type { NumberError } from "./judge.ts";

export type Level = "wrong" | "trainable" | "single precision" | "exact";

/** The level of one function in one precision. */
export function levelOf(group: readonly CaseOutcome[]): Level {
  if (group.every(({ passed, case: test }) => passed || test.result === "acceptable")) return "exact";
  const valid = group.filter(({ case: test }) => test.result === "valid");
  if (group[0].dtype === "float64" && valid.every((outcome) => isAnswered(outcome) && isSingle(outcome))) {
    return "single precision";
  }
  return valid.every((outcome) => isTrainable(outcome)) ? "trainable" : "wrong";
}

/** Whether one can train with the answer to a valid case. */
export function isTrainable(outcome: CaseOutcome): boolean {
  return isAnswered(outcome) && outcome.errors.every((error) => isTrainableNumber(outcome, error));
}

/** Every number that is expected was there to be judged. */
function isAnswered({ case: test, errors }: CaseOutcome): boolean {
  return errors.length === Object.values(test.expected ?? {}).flat(2).length;
}

function isSingle({ case: test, errors }: CaseOutcome): boolean {
  const contract = contractOf(test, "float32");
  return errors.every(({ result, row, index, expected, actual }) => {
    const { scale, allowed } = contract[result](expectedRow(test, result, row), row)[index];
    return errorInU(actual, expected, scale, UNIT.float32) <= allowed;
  });
}

function expectedRow({ expected }: CaseOutcome["case"], result: string, row: number): number[] {
  const values = expected?.[result][row] ?? [];
  return numbersOf(Array.isArray(values) ? values : [values as number]);
}

function isTrainableNumber(outcome: CaseOutcome, { result, row, expected, actual, error }: NumberError): boolean {
  const { case: test } = outcome;
  if (error === 0) return true;
  if (result === "hvp") return isSingle(outcome);
  const difference = Math.abs(actual - expected);
  const { input } = test;
  if (result === "loss" && "scores" in input) {
    return difference <= 1e-5 * Math.max(fromJson(input.tau ?? 1) ?? 1, Math.abs(expected));
  }
  if (result === "log_sigma") return difference <= 1e-5 * Math.max(1, Math.abs(expected));
  const largest = Math.max(...expectedRow(test, result, row).map(Math.abs));
  return difference <= Math.max(1e-3 * largest, 1e-6 / Math.max(1, fromJson(input.k) ?? 1));
}

/** Flags in the order in which a port meets them, with the step of docs/porting.md that is about each. */
const PATH: readonly (readonly [flag: string, step: number])[] = [
  ["PaperFormula", 1],
  ["CrossEntropyCase", 1],
  ["MarginNotOne", 1],
  ["KEqualsOne", 1],
  ["Typical", 5],
  ["Batch", 2],
  ["MaskedClasses", 2],
  ["FewerThanK", 2],
  ["ShiftedScores", 3],
  ["LargeScores", 3],
  ["Ties", 7],
  ["KEqualsNMinus1", 4],
  ["SmallTau", 4],
  ["DominantClass", 4],
  ["ConfidentLabel", 6],
  ["LargeTau", 6],
  ["HardSwitch", 7],
  ["CatastrophicCancellation", 7],
  ["LargeK", 4],
  ["CoefficientOverflow", 4],
];

/** Where to look first: the first flag of the path with a case that is not trainable, or undefined. */
export function firstStep(
  outcomes: readonly CaseOutcome[],
): { readonly flag: string; readonly step: number } | undefined {
  const bad = outcomes.filter(
    (outcome) => outcome.function === "smooth_topk_loss" && outcome.case.result === "valid" && !isTrainable(outcome),
  );
  const found = PATH.find(([flag]) => bad.some(({ case: test }) => test.flags.includes(flag)));
  return found === undefined ? undefined : { flag: found[0], step: found[1] };
}
