import { describe, expect, it } from "vitest";
import { contractOf } from "../contract.ts";
import { DTYPES, type Dtype, FLOOR, UNIT } from "../dtypes.ts";
import { judge, type Verdict } from "./judge.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import { fromJson, type JsonNumber, type TestCase } from "../vectors/vector-file.ts";

const files = loadVectors();
const valid = files.flatMap(({ tests }) => tests).filter(({ result }) => result === "valid");
const find = (id: string): TestCase => valid.find((test) => test.id === id) as TestCase;

type Rows = (JsonNumber | JsonNumber[])[];
type Answered = Record<string, Rows>;

/** The expected output, to spoil. */
const outputOf = (test: TestCase): Answered => structuredClone(test.expected) as Answered;
const judged = (test: TestCase, output: unknown, dtype: Dtype = "float64"): Verdict => judge(test, dtype, { output });

/** The answer whose numbers are all off by `fraction` of what is allowed, in the judge's own words. */
function offBy(test: TestCase, dtype: Dtype, fraction: number): Answered {
  const { errors } = judged(test, outputOf(test), dtype);
  const output = outputOf(test);
  for (const { result, row, index, expected, allowed } of errors) {
    const tolerance = scaleOf(test, dtype, result, row, index) * allowed * UNIT[dtype];
    const value = expected + fraction * tolerance;
    const rows = output[result];
    if (Array.isArray(rows[row])) rows[row][index] = value;
    else rows[row] = value;
  }
  return output;
}

/** What one u of a number is relative to, measured: the error of a probe. */
function scaleOf(test: TestCase, dtype: Dtype, result: string, row: number, index: number): number {
  const probe = outputOf(test);
  const rows = probe[result];
  const expected = fromJson(Array.isArray(rows[row]) ? rows[row][index] : rows[row]) ?? NaN;
  const step = Math.max(Math.abs(expected), 1e-3);
  if (Array.isArray(rows[row])) rows[row][index] = expected + step;
  else rows[row] = expected + step;
  const { errors } = judged(test, probe, dtype);
  const found = errors.find((error) => error.result === result && error.row === row && error.index === index);
  const { actual = NaN, error = NaN } = found ?? {};
  return (actual - expected) / (error * UNIT[dtype]);
}

describe("a number", () => {
  const ids = ["smooth_topk_loss-paper-3", "topk_loss-paper-3", "log_esp-paper-3", "log_esp_hvp-paper-3"];
  it.each(ids.flatMap((id) => DTYPES.map((dtype) => ({ id, dtype }))))(
    "of $id in $dtype may be off by 0.7 of what is allowed, not by 2.5 times that (numbers are a rounding apart)",
    ({ id, dtype }) => {
      const test = find(id);
      expect(judged(test, outputOf(test), dtype)).toMatchObject({ passed: true, reason: "" });
      expect(judged(test, offBy(test, dtype, 0.7), dtype)).toMatchObject({ passed: true, reason: "" });
      expect(judged(test, offBy(test, dtype, 2.5), dtype).passed).toBe(false);
    },
  );

  it("of float64 may be off by what the contract says", () => {
    const test = find("smooth_topk_loss-paper-3");
    const [loss] = outputOf(test)["loss"] as number[];
    const [[first]] = outputOf(test)["grad"] as number[][];
    const { errors } = judged(test, outputOf(test));
    // z = log(e^(loss / tau) - 1) with tau = 2, and k = 1.
    expect(errors[0].allowed).toBeCloseTo(8 + Math.min(1, Math.log(Math.expm1(loss / 2))), 10);
    expect(errors[1].allowed).toBe(64);
    expect(scaleOf(test, "float64", "grad", 0, 0)).toBeCloseTo(first, 12);
  });

  it.each([
    ["far above 0", 1e300, 1e-5, 9],
    ["at 1e300", 1e300, 1, 9],
    ["at 1/2", Math.log1p(Math.exp(0.5)), 1, 8.5],
    ["at -20", 2 * Math.log1p(Math.exp(-20)), 2, 28],
    ["where loss / tau underflows", 1e-200, 1e200, 8 + 400 * Math.LN10],
  ])("of float64 with z %s may be off by no more than the rounding of z costs", (_, loss, tau, allowed) => {
    const test = find("smooth_topk_loss-paper-3");
    const withTau = { ...test, input: { ...test.input, tau } };
    const [tolerance] = contractOf(withTau, "float64")["loss"]([loss], 0);
    expect(tolerance.scale).toBe(loss);
    expect(tolerance.allowed).toBeCloseTo(allowed, 8);
  });

  it("below the floor may be anything below twice the floor, but no more and not NaN", () => {
    const test = valid.find(
      ({ flags, id }) => flags.includes("Underflow") && id.startsWith("smooth_topk_loss"),
    ) as TestCase;
    const grad = test.expected?.["grad"][0] as number[];
    const at = grad.findIndex((value) => Math.abs(value) < FLOOR.float64);
    const withValue = (value: JsonNumber): Answered => ({ ...outputOf(test), grad: [grad.with(at, value as number)] });
    expect(at).toBeGreaterThanOrEqual(0);
    expect(judged(test, withValue(FLOOR.float64)).passed).toBe(true);
    expect(judged(test, withValue(3 * FLOOR.float64)).passed).toBe(false);
    expect(judged(test, withValue("NaN")).passed).toBe(false);
  });
});

describe("an answer", () => {
  const test = find("smooth_topk_loss-paper-3");
  const right = outputOf(test);
  it.each<[what: string, output: unknown, reason: RegExp]>([
    ["without output", undefined, /^no output/],
    ["without the gradient", { loss: right["loss"] }, /^grad is missing, expected an array of 1, one a row$/],
    ["with a loss for no row", { ...right, loss: [] }, /^loss is \[\], expected an array of 1, one a row$/],
    ["with one loss in place of an array", { ...right, loss: 1 }, /^loss is 1, expected an array of 1/],
    ["with a flat gradient", { ...right, grad: right["grad"][0] }, /^grad is \[.*, expected an array of 1, one a row$/],
    ["with a short row", { ...right, grad: [[0, 1]] }, /^grad\[0\] is \[0,1\], expected an array of 5 numbers$/],
    ["with null", { ...right, loss: [null] }, /^loss\[0\] is null, expected a number$/],
    ["with a number as text", { ...right, loss: ["4.3"] }, /^loss\[0\] is "4\.3", expected a number$/],
    ["with NaN", { ...right, loss: ["NaN"] }, /^loss\[0\] is NaN, expected 4\.31.*: off by Infinity u/],
  ])("%s is wrong, and it is said how", (_, output, reason) => {
    const verdict = judged(test, output);
    expect(verdict.passed).toBe(false);
    expect(verdict.reason).toMatch(reason);
  });

  it("may hold more than was asked for", () => {
    expect(judged(test, { ...right, seconds: 1 }).passed).toBe(true);
  });

  it("is wrong where valid input is refused, or invalid input is not", () => {
    expect(judge(test, "float64", { error: "no" })).toMatchObject({
      passed: false,
      reason: 'refused valid input: "no"',
    });
    const invalid = files[0].tests.find(({ result }) => result === "invalid") as TestCase;
    expect(judge(invalid, "float64", { error: "k is 0" }).passed).toBe(true);
    expect(judge(invalid, "float64", { error: "" }).passed).toBe(false);
    expect(judge(invalid, "float64", { output: right }).passed).toBe(false);
  });
});
