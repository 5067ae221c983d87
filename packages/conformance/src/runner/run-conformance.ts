/** Sends vectors to a port and judges what comes back. */
import { type CaseOutcome, type NotAsked, notOffered, type Report, summarise } from "./conformance-report.ts";
import { DTYPES, type Dtype } from "../dtypes.ts";
import { describePort } from "./description.ts";
import { type Bar, judge } from "./judge.ts";
import type { Port, Reply, Request } from "./port.ts";
import { likelyMistake } from "./likely-mistake.ts";
import { firstStep } from "./verdict.ts";
import type { FunctionName, TestCase, VectorFile } from "../vectors/vector-file.ts";

export interface ConformanceOptions {
  /** Precisions to judge; all of them by default, those left out by the port being no failure then. */
  readonly dtypes?: readonly Dtype[] | undefined;
  /** Functions to judge; all by default, those left out by the port being no failure then. */
  readonly functions?: readonly FunctionName[] | undefined;
  /** In place of the contract. */
  readonly bar?: Bar | undefined;
  /** Only cases whose id, flags or function this matches. */
  readonly filter?: RegExp | undefined;
}

export interface Run extends Report {
  /** Every case in every precision, with the error of every number. */
  readonly outcomes: readonly CaseOutcome[];
}

interface Item {
  readonly test: TestCase;
  readonly request: Request;
}

/**
 * Runs vectors against a port.
 *
 * @returns the report, with `passed` true if every case is within tolerance; that of a selection without cases is false.
 */
export async function runConformance(
  port: Port,
  files: readonly VectorFile[],
  { dtypes, functions, filter, bar }: ConformanceOptions = {},
): Promise<Run> {
  const started = performance.now();
  const description = await describePort(port);
  const required: readonly string[] = [...(dtypes ?? []), ...(functions ?? [])];
  // What is asked for by name is asked even where the port says that it lacks it.
  const offers = (name: FunctionName, dtype: Dtype): boolean =>
    description === undefined ||
    ((required.includes(name) || description.functions.includes(name)) &&
      (required.includes(dtype) || description.dtypes.includes(dtype)));
  const items: Item[] = [];
  const notAsked = new Map<string, NotAsked>();
  for (const dtype of dtypes ?? DTYPES) {
    for (const file of files) {
      for (const test of file.tests) {
        if (!test.dtypes.includes(dtype) || !isSelected(test, file.function, filter)) continue;
        if (functions !== undefined && !functions.includes(file.function)) continue;
        if (!offers(file.function, dtype)) {
          const key = `${file.function} ${dtype}`;
          const cases = (notAsked.get(key)?.cases ?? 0) + 1;
          notAsked.set(key, { function: file.function, dtype, cases });
          continue;
        }
        items.push({ test, request: { id: items.length + 1, function: file.function, dtype, input: test.input } });
      }
    }
  }
  const replies = await port.exchange(
    items.map(({ request }) => request),
    true,
  );
  const outcomes = items.map((item, at) => outcomeOf(item, replies[at], bar));
  const { groups, failures } = summarise(outcomes, required);
  return {
    passed: failures.length === 0 && groups.some(({ status }) => status === "pass"),
    version: files[0]?.version ?? "",
    port: description ?? null,
    groups: [...groups, ...[...notAsked.values()].map(notOffered)],
    failures,
    likelyMistake: (failures.length > 0 && likelyMistake(outcomes)) || null,
    firstStep: (failures.length > 0 && firstStep(outcomes)) || null,
    seconds: (performance.now() - started) / 1000,
    outcomes,
  };
}

function isSelected(test: TestCase, name: FunctionName, filter: RegExp | undefined): boolean {
  return filter === undefined || [test.id, name, ...test.flags].some((text) => filter.test(text));
}

/** One reply, judged. */
export function outcomeOf({ test, request }: Item, reply: Reply, bar?: Bar): CaseOutcome {
  const base = { case: test, function: request.function, dtype: request.dtype };
  if (reply.failure !== undefined) {
    return { ...base, passed: false, reason: reply.detail, failure: reply.failure, refused: false, errors: [] };
  }
  const { passed, reason, errors } = judge(test, request.dtype, reply.answer, bar);
  return { ...base, passed, reason, errors, refused: reply.answer.error !== undefined };
}
