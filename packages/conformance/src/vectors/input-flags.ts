/** The flags of a case that can be read from its input and its results. */
import type { EspCase, LossCase } from "./case-family.ts";

const SMALL_TAU = 0.11;
const LARGE_TAU = 100;
const LARGE_K = 20;
/** The logarithm of the largest single-precision number. */
const LARGE = 88;
const DOMINANT = 15;
const LEAST_NORMAL = 2 ** -1022;

type Flag = readonly [name: string, applies: boolean];

function present(flags: readonly Flag[]): string[] {
  return flags.flatMap(([name, applies]) => (applies ? [name] : []));
}

/** Of the entries that compete for k places, as log-values. */
function rowFlags(rows: readonly (readonly number[])[], k: number): Flag[] {
  const sorted = rows.map((row) => row.filter((v) => v > -Infinity).sort((a, b) => b - a));
  return [
    ["Ties", k > 0 && sorted.some((row) => row.length > k && row[k - 1] === row[k])],
    ["LargeScores", sorted.some((row) => row.some((v) => Math.abs(v) > LARGE))],
    ["MaskedClasses", rows.some((row) => row.includes(-Infinity))],
    ["FewerThanK", sorted.some((row) => row.length < k)],
    ["DominantClass", sorted.some((row) => row.length > k && k > 0 && row[0] - row[k] > DOMINANT)],
    ["CoefficientOverflow", logBinomial(Math.max(...sorted.map((row) => row.length)), k) > LARGE],
    ["LargeK", k >= LARGE_K],
    ["KEqualsOne", k === 1],
    ["KEqualsZero", k === 0],
    ["Batch", rows.length > 1],
  ];
}

export function lossFlags({ scores, labels, k, tau, alpha }: LossCase, isHard: boolean): string[] {
  const others = scores.map((row, b) => row.toSpliced(labels[b], 1).map((s) => (isHard ? s : s / (k * tau))));
  return present([
    ...rowFlags(others, k),
    ["KEqualsNMinus1", k === scores[0].length - 1],
    ["SmallTau", !isHard && tau <= SMALL_TAU],
    ["LargeTau", !isHard && tau >= LARGE_TAU],
    ["MarginNotOne", alpha !== 1],
    ["CrossEntropyCase", !isHard && k === 1 && tau === 1 && alpha === 0],
  ]);
}

export function espFlags({ x, k }: EspCase): string[] {
  return present([...rowFlags(x, k), ["KEqualsN", k === x[0].length]]);
}

/** Of the results: a digit string other than 0 whose double is not a normal number. */
export function underflows(digits: readonly string[]): boolean {
  return digits.some((text) => text !== "0" && Math.abs(Number(text)) < LEAST_NORMAL);
}

/** log C(n, k), roughly. */
function logBinomial(n: number, k: number): number {
  let sum = 0;
  for (let j = 1; j <= Math.min(k, n); j++) sum += Math.log((n - j + 1) / j);
  return sum;
}
