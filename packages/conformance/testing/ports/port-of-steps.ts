/** The port protocol over the steps of a port. */
import { type Dtype, roundTo } from "../../src/dtypes.ts";
import { type Port, portOf, type Request } from "../../src/runner/port.ts";
import { fromJson, type JsonNumber, toJson } from "../../src/vectors/vector-file.ts";
import { correct, type Steps } from "./straightforward.ts";

/** @param changes  the steps that are not as they should be. */
export function portOfSteps(changes: Partial<Steps> = {}): Port {
  const steps: Steps = { ...correct, ...changes };
  return portOf((line) => {
    const request = JSON.parse(line) as Request;
    try {
      return JSON.stringify({ id: request.id, output: outputOf(steps, request) });
    } catch (error) {
      return JSON.stringify({ id: request.id, error: (error as Error).message });
    }
  });
}

const number = (value: JsonNumber): number => fromJson(value) ?? NaN;
const matrix = (rows: readonly (readonly JsonNumber[])[]): number[][] => rows.map((row) => row.map(number));

function outputOf(steps: Steps, { function: name, dtype, input }: Request): object {
  if ("scores" in input) {
    const given = {
      scores: matrix(input.scores),
      labels: input.labels.map(number),
      k: number(input.k),
      tau: number(input.tau ?? 1),
      alpha: number(input.alpha),
    };
    steps.check(given);
    const row = name === "topk_loss" ? steps.hardRow : steps.smoothRow;
    const rows = given.scores.map((_, b) => row(steps, given, b));
    return {
      loss: encode(
        rows.map(({ loss }) => loss),
        dtype,
      ),
      grad: steps.gradients(rows).map((g) => encode(g, dtype)),
    };
  }
  const given = { x: matrix(input.x), k: number(input.k), v: matrix(input.v ?? []) };
  steps.check(given);
  const { x, k, v } = given;
  if (name === "log_esp_hvp") return { hvp: x.map((row, b) => encode(steps.hvp(steps, row, k, v[b]), dtype)) };
  return {
    log_sigma: x.map((row) => encode(steps.logSigma(steps, row, k), dtype)),
    inclusion: x.map((row) => encode(steps.inclusion(steps, row, k), dtype)),
  };
}

function encode(values: readonly number[], dtype: Dtype): JsonNumber[] {
  return values.map((value) => toJson(roundTo(dtype, value)));
}
