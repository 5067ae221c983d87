/** Sends vectors to a port and judges what comes back. */
import { type CaseOutcome, type Report, summarise } from "./conformance-report.ts";
import { DTYPES, type Dtype } from "../dtypes.ts";
import { judge } from "./judge.ts";
import type { Port, Reply, Request } from "./port.ts";
import type { FunctionName, TestCase, VectorFile } from "../vectors/vector-file.ts";

export interface ConformanceOptions {
  /** Precisions to judge; all of them by default, those left out by the port being no failure then. */
  readonly dtypes?: readonly Dtype[] | undefined;
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
  { dtypes, filter }: ConformanceOptions = {},
): Promise<Run> {
  const started = performance.now();
  const items: Item[] = [];
  for (const dtype of dtypes ?? DTYPES) {
    for (const file of files) {
      for (const test of file.tests) {
        if (!test.dtypes.includes(dtype) || !isSelected(test, file.function, filter)) continue;
        items.push({ test, request: { id: items.length + 1, function: file.function, dtype, input: test.input } });
      }
    }
  }
  const replies = await port.exchange(
    items.map(({ request }) => request),
    true,
  );
  const outcomes = items.map((item, at) => outcomeOf(item, replies[at]));
  const { groups, failures } = summarise(outcomes, dtypes ?? []);
  return {
    passed: failures.length === 0 && groups.some(({ status }) => status === "pass"),
    version: files[0]?.version ?? "",
    groups,
    failures,
    seconds: (performance.now() - started) / 1000,
    outcomes,
  };
}

function isSelected(test: TestCase, name: FunctionName, filter: RegExp | undefined): boolean {
  return filter === undefined || [test.id, name, ...test.flags].some((text) => filter.test(text));
}

/** One reply, judged. */
export function outcomeOf({ test, request }: Item, reply: Reply): CaseOutcome {
  const base = { case: test, function: request.function, dtype: request.dtype };
  if (reply.failure !== undefined) {
    return { ...base, passed: false, reason: reply.detail, failure: reply.failure, refused: false, errors: [] };
  }
  const { passed, reason, errors } = judge(test, request.dtype, reply.answer);
  return { ...base, passed, reason, errors, refused: reply.answer.error !== undefined };
}
