/** Judges a port's answer to one case. */
import { contractOf, type Tolerance } from "../contract.ts";
import { type Dtype, UNIT } from "../dtypes.ts";
import { errorInU } from "../error-in-u.ts";
import { fromJson, type JsonNumber, type TestCase } from "../vectors/vector-file.ts";

/** One number of an answer beside the exact one. */
export interface NumberError {
  /** The result it belongs to: loss, grad, log_sigma, inclusion, hvp. */
  readonly result: string;
  readonly row: number;
  /** Its place in the row; 0 for the loss. */
  readonly index: number;
  readonly expected: number;
  readonly actual: number;
  /** In u, relative to the scale of the contract. */
  readonly error: number;
  /** The contract's bound of `error`. */
  readonly allowed: number;
}

export interface Verdict {
  readonly passed: boolean;
  /** Why not, in one line; empty where passed. */
  readonly reason: string;
  /** All numbers judged: empty where the answer has none to judge. */
  readonly errors: readonly NumberError[];
}

/** An answer line, parsed. */
export interface Answer {
  readonly id?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
}

const failed = (reason: string, errors: readonly NumberError[] = []): Verdict => ({ passed: false, reason, errors });

/** How far an error is from what is allowed: above 1 is a failure. */
export function excess({ error, allowed }: NumberError): number {
  if (error === 0) return 0;
  return allowed === 0 ? Infinity : error / allowed;
}

/** The error that comes closest to its bound, or is farthest beyond it. */
function worstOf(errors: readonly NumberError[]): NumberError | undefined {
  let worst: NumberError | undefined;
  for (const error of errors) if (worst === undefined || excess(error) > excess(worst)) worst = error;
  return worst;
}

/** A bar of one's own in place of the contract: within atol + rtol |expected|. */
export interface Bar {
  readonly rtol: number;
  readonly atol: number;
}

/**
 * @param test    the case, with its expected results.
 * @param answer  what the port said.
 * @param bar     in place of the contract.
 */
export function judge(test: TestCase, dtype: Dtype, answer: Answer, bar?: Bar): Verdict {
  const { error, output } = answer;
  if (test.result === "invalid") {
    if (typeof error === "string" && error !== "") return { passed: true, reason: "", errors: [] };
    return failed(`answered ${excerpt(answer)} to input it must refuse: ${test.comment}`);
  }
  if (error !== undefined) return failed(`refused valid input: ${excerpt(error)}`);
  if (typeof output !== "object" || output === null) return failed(`no output in the answer ${excerpt(answer)}`);
  const errors: NumberError[] = [];
  const contract = bar === undefined ? contractOf(test, dtype) : contractOfBar(test, dtype, bar);
  for (const [result, expected] of Object.entries(test.expected ?? {})) {
    const actual = (output as Record<string, unknown>)[result];
    if (!Array.isArray(actual) || actual.length !== expected.length) {
      return failed(`${result} is ${excerpt(actual)}, expected an array of ${expected.length}, one a row`, errors);
    }
    for (const [row, values] of expected.entries()) {
      const mistake = judgeRow({ result, row, values, actual: actual[row] as unknown, dtype, contract }, errors);
      if (mistake !== undefined) return failed(mistake, errors);
    }
  }
  const worst = worstOf(errors);
  if (worst === undefined || excess(worst) <= 1) return { passed: true, reason: "", errors };
  return failed(describe(worst), errors);
}

function contractOfBar(test: TestCase, dtype: Dtype, { rtol, atol }: Bar): ReturnType<typeof contractOf> {
  const names = Object.keys(test.expected ?? {});
  const ofRow = (expected: readonly number[]): Tolerance[] =>
    expected.map((value) => {
      const scale = Math.abs(value) || 1;
      return { scale, allowed: (atol + rtol * Math.abs(value)) / scale / UNIT[dtype] };
    });
  return Object.fromEntries(names.map((name) => [name, ofRow]));
}

interface RowToJudge {
  readonly result: string;
  readonly row: number;
  readonly values: JsonNumber | readonly JsonNumber[];
  readonly actual: unknown;
  readonly dtype: Dtype;
  readonly contract: ReturnType<typeof contractOf>;
}

/** Appends the errors of a row; returns what is wrong with its form. */
function judgeRow(given: RowToJudge, errors: NumberError[]): string | undefined {
  const { result, row, values, actual, dtype, contract } = given;
  const isVector = Array.isArray(values);
  const wanted = (isVector ? values : [values]).map((value: JsonNumber) => fromJson(value) ?? NaN);
  const place = `${result}[${row}]`;
  if (isVector && (!Array.isArray(actual) || actual.length !== wanted.length)) {
    return `${place} is ${excerpt(actual)}, expected an array of ${wanted.length} numbers`;
  }
  const got: unknown[] = isVector ? (actual as unknown[]) : [actual];
  const tolerances = contract[result](wanted, row);
  for (const [index, expected] of wanted.entries()) {
    const number = fromJson(got[index]);
    if (number === undefined) {
      return `${place}${isVector ? `[${index}]` : ""} is ${excerpt(got[index])}, expected a number`;
    }
    const { scale, allowed } = tolerances[index];
    const error = errorInU(number, expected, scale, UNIT[dtype]);
    errors.push({ result, row, index, expected, actual: number, error, allowed });
  }
  return undefined;
}

/** One number in words. */
function describe({ result, row, index, expected, actual, error, allowed }: NumberError): string {
  const place = result === "loss" ? `loss[${row}]` : `${result}[${row}][${index}]`;
  return `${place} is ${actual}, expected ${expected}: off by ${formatU(error)}, allowed ${formatU(allowed)}`;
}

/** An error in u with as many digits as are of use. */
export function formatU(error: number): string {
  if (error === 0) return "0 u";
  if (error < 0.005 || error >= 1e6) return `${error.toExponential(1).replace("e+", "e")} u`;
  return `${error.toFixed(error < 10 ? 2 : error < 100 ? 1 : 0)} u`;
}

/** A value as JSON, cut short. */
function excerpt(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
