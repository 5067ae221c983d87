/**
 * A backend as a port of the conformance suite, in this process.
 */
import { roundTo } from "@smooth-topk/conformance";
import { type Port, portOf } from "@smooth-topk/conformance/runner";
import type { WasmBackend } from "../src/index.ts";
import { lossOfRatio } from "./loss-of-ratio.ts";

type Json = number | string;
interface Matrix {
  readonly shape: readonly number[];
  get(b: number, i: number): number;
}

const NON_FINITE: Readonly<Record<string, number>> = { Infinity, "-Infinity": -Infinity, NaN };
const fromJson = (value: Json): number => (typeof value === "string" ? NON_FINITE[value] : value);
const toJson = (value: number): Json => (Number.isFinite(value) ? value : String(value));

interface Input {
  readonly x: Json[][];
  readonly v: Json[][];
  readonly scores: Json[][];
  readonly labels: number[];
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

export function backendPort(backend: WasmBackend): Port {
  return portOf((line) => {
    const request = JSON.parse(line) as { id: number; function: string; input: Input };
    try {
      return JSON.stringify({ id: request.id, output: answer(backend, request.function, request.input) });
    } catch (error) {
      return JSON.stringify({ id: request.id, error: (error as Error).message });
    }
  });
}

function answer(backend: WasmBackend, name: string, input: Input): object {
  const { sync, dtype } = backend;
  const numbers = (values: readonly Json[]): number[] => values.map((value) => roundTo(dtype, fromJson(value)));
  const rowsOf = (array: Matrix): Json[][] =>
    Array.from({ length: array.shape[0] }, (_, b) =>
      Array.from({ length: array.shape[1] }, (__, i) => toJson(roundTo(dtype, array.get(b, i)))),
    );
  const distributions = (array: Matrix): Json[][] => rowsOf(array).map((row) => (row.includes("NaN") ? [] : row));
  const { k } = input;
  if (name === "smooth_topk_loss") {
    const scores = input.scores.map(numbers);
    const { loss, grad } = lossOfRatio(sync, scores, input.labels, k, input.tau, input.alpha);
    return { loss: loss.map((value) => toJson(roundTo(dtype, value))), grad: grad.map((row) => row.map(toJson)) };
  }
  const x = input.x.map(numbers);
  if (name === "log_esp_hvp") return { hvp: distributions(sync.logEspHvp(x, k, input.v.map(numbers))) };
  return { log_sigma: rowsOf(sync.logEsp(x, k)), inclusion: distributions(sync.inclusionProbabilities(x, k)) };
}
