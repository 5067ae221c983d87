/** What a run of the kit found. */
import type { Dtype } from "../dtypes.ts";
import type { CaseOutcome } from "./case-outcome.ts";
import { excess } from "./judge.ts";
import type { PortDescription } from "./description.ts";
import type { LikelyMistake } from "./likely-mistake.ts";
import type { Failure } from "./port.ts";
import { type Level, levelOf } from "./verdict.ts";
import type { FunctionName } from "../vectors/vector-file.ts";

export type { CaseOutcome };

/** A number of the report: how far off, how far it may be, and where. */
export interface Worst {
  readonly case: string;
  readonly row: number;
  readonly index: number;
  readonly expected: number;
  readonly actual: number;
  /** In u. */
  readonly error: number;
  readonly allowed: number;
}

/** A result of a function in a precision: loss, grad, log_sigma, inclusion or hvp. */
export interface ResultSummary {
  readonly result: string;
  readonly values: number;
  /** Of all values, in u. */
  readonly median: number;
  /** The value that comes closest to its bound or is farthest beyond; null where no value was judged. */
  readonly worst: Worst | null;
}

/** A function in a precision that the port says it does not offer. */
export interface NotAsked {
  readonly function: FunctionName;
  readonly dtype: Dtype;
  readonly cases: number;
}

export type Status = "pass" | "fail" | "not offered";

export interface GroupSummary {
  readonly function: FunctionName;
  readonly dtype: Dtype;
  readonly status: Status;
  /** How good it is, in steps; null where it is not offered. */
  readonly level: Level | null;
  readonly cases: number;
  readonly failed: number;
  /** Acceptable cases whose answer differs: reported, not failed. */
  readonly differing: number;
  readonly results: readonly ResultSummary[];
}

export interface FailedCase {
  readonly id: string;
  readonly function: FunctionName;
  readonly dtype: Dtype;
  readonly flags: readonly string[];
  readonly failure: Failure | "wrong";
  readonly reason: string;
}

export interface Report {
  readonly passed: boolean;
  /** Of the vectors. */
  readonly version: string;
  /** What the port says of itself; null for a port without the handshake. */
  readonly port: PortDescription | null;
  readonly groups: readonly GroupSummary[];
  readonly failures: readonly FailedCase[];
  /** The mistake that fails the same cases, if one does. */
  readonly likelyMistake: LikelyMistake | null;
  /** Where to look first: a flag to filter by, and the step of the porting guide. */
  readonly firstStep: { readonly flag: string; readonly step: number } | null;
  readonly seconds: number;
}

/** Functions that a port may leave out: those that answer every request with an error are "not offered". */
const OPTIONAL_FUNCTIONS: ReadonlySet<FunctionName> = new Set(["topk_loss", "log_esp_hvp"]);
const OPTIONAL_DTYPES: ReadonlySet<Dtype> = new Set(["float32", "bfloat16"]);

/**
 * Sums up outcomes by function and precision.
 *
 * @param required  functions and precisions that were asked for by name, and so may not be left out.
 */
export function summarise(
  outcomes: readonly CaseOutcome[],
  required: readonly string[],
): { groups: GroupSummary[]; failures: FailedCase[] } {
  const groups: GroupSummary[] = [];
  const failures: FailedCase[] = [];
  for (const group of grouped(outcomes)) {
    const { function: name, dtype } = group[0];
    const mayBeLeftOut =
      (OPTIONAL_FUNCTIONS.has(name) && !required.includes(name)) ||
      (OPTIONAL_DTYPES.has(dtype) && !required.includes(dtype));
    const valid = group.filter((outcome) => outcome.case.result === "valid");
    const isNotOffered = mayBeLeftOut && valid.length > 0 && valid.every(({ refused }) => refused);
    const bad = group.filter(({ passed }) => !passed);
    const failed = isNotOffered ? [] : bad.filter((outcome) => outcome.case.result !== "acceptable");
    for (const outcome of failed) {
      failures.push({
        id: outcome.case.id,
        function: name,
        dtype,
        flags: outcome.case.flags,
        failure: outcome.failure ?? "wrong",
        reason: outcome.reason,
      });
    }
    groups.push({
      function: name,
      dtype,
      level: isNotOffered ? null : levelOf(group),
      status: isNotOffered ? "not offered" : failed.length === 0 ? "pass" : "fail",
      cases: group.length,
      failed: failed.length,
      differing: isNotOffered ? 0 : bad.length - failed.length,
      results: resultSummaries(group),
    });
  }
  return { groups, failures };
}

/** The group of what was not asked. */
export function notOffered({ function: name, dtype, cases }: NotAsked): GroupSummary {
  return { function: name, dtype, status: "not offered", level: null, cases, failed: 0, differing: 0, results: [] };
}

function grouped(outcomes: readonly CaseOutcome[]): CaseOutcome[][] {
  const groups = new Map<string, CaseOutcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.function} ${outcome.dtype}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [outcome]);
    else group.push(outcome);
  }
  return [...groups.values()];
}

function resultSummaries(group: readonly CaseOutcome[]): ResultSummary[] {
  const names = new Set(group.flatMap((outcome) => Object.keys(outcome.case.expected ?? {})));
  return [...names].map((result) => {
    const sizes: number[] = [];
    let worst: Worst | null = null;
    let most = -1;
    for (const outcome of group) {
      if (outcome.case.result === "acceptable") continue;
      for (const number of outcome.errors) {
        if (number.result !== result) continue;
        sizes.push(number.error);
        if (excess(number) <= most) continue;
        most = excess(number);
        const { row, index, expected, actual, error, allowed } = number;
        worst = { case: outcome.case.id, row, index, expected, actual, error, allowed };
      }
    }
    sizes.sort((a, b) => a - b);
    return { result, values: sizes.length, median: sizes[Math.floor(sizes.length / 2)] ?? 0, worst };
  });
}
