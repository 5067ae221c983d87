/**
 * The port protocol: one JSON request, one JSON answer. Numbers that JSON lacks are the strings "Infinity",
 * "-Infinity" and "NaN".
 */
import { type Dtype, DTYPES, roundTo } from "@smooth-topk/conformance";
import { jsonDepth, jsonMembers } from "@smooth-topk/array-files";
import ndarray, { type NdArray } from "ndarray";
import { type Backend, type LossOptions, messageOf } from "./backends.ts";
import { VERSION } from "./version.ts";

/** A request is an object of an object of rows. */
const DEEPEST = 16;

type Input = Readonly<Record<string, unknown>>;
type Answer = Record<string, unknown>;

const NON_FINITE: Readonly<Record<string, number>> = { Infinity, "-Infinity": -Infinity, NaN };

function shown(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value).slice(0, 60);
}

function number(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && Object.hasOwn(NON_FINITE, value)) return NON_FINITE[value];
  throw new TypeError(`${name} is ${shown(value)}, expected a number`);
}

/** A [batch][n] array of numbers, in the precision of the request. */
function matrix(value: unknown, name: string, dtype: Dtype): NdArray<Float64Array> {
  if (!Array.isArray(value)) throw new TypeError(`${name} is ${shown(value)}, expected an array of rows`);
  const n = Array.isArray(value[0]) ? value[0].length : 0;
  const data = new Float64Array(value.length * n);
  value.forEach((row: unknown, b) => {
    if (!Array.isArray(row)) throw new TypeError(`${name}[${b}] is ${shown(row)}, expected an array of numbers`);
    if (row.length !== n)
      throw new RangeError(`${name}[${b}] has length ${row.length}, expected the length of row 0, ${n}`);
    row.forEach((v, i) => {
      const x = number(v, `${name}[${b}][${i}]`);
      data[b * n + i] = roundTo(dtype, x);
    });
  });
  return ndarray(data, [value.length, n]);
}

function labels(value: unknown): number[] {
  if (!Array.isArray(value)) throw new TypeError(`labels is ${shown(value)}, expected an array of integers`);
  return value.map((label: unknown, b) => {
    if (typeof label !== "number") throw new TypeError(`labels[${b}] is ${shown(label)}, expected an integer`);
    return label;
  });
}

/** Numbers as JSON has them. */
function encode(values: ArrayLike<number>, dtype: Dtype): (number | string)[] {
  return Array.from(values, (value) => {
    const v = roundTo(dtype, value);
    return Number.isFinite(v) ? v : String(v);
  });
}

function encodeRows(array: NdArray, dtype: Dtype): (number | string)[][] {
  const [batch, n] = array.shape;
  const data = array.data as ArrayLike<number>;
  return Array.from({ length: batch }, (_, b) => encode(Array.prototype.slice.call(data, b * n, (b + 1) * n), dtype));
}

/** A row with sigma_k = 0 has no distribution: NaN throughout, [] in the protocol. */
function encodeDistributions(array: NdArray, dtype: Dtype): (number | string)[][] {
  return encodeRows(array, dtype).map((row) => (row.includes("NaN") ? [] : row));
}

function optional(input: Input, name: string, fallback: number): number {
  return input[name] === undefined ? fallback : number(input[name], name);
}

type Respond = (backend: Backend, input: Input, dtype: Dtype) => Promise<Answer>;

async function lossAnswer(
  backend: Backend,
  loss: LossOptions["loss"],
  input: Input,
  dtype: Dtype,
  tau: number,
): Promise<Answer> {
  const { value, grad } = await backend.valueAndGrad(
    matrix(input["scores"], "scores", dtype),
    labels(input["labels"]),
    { loss, k: optional(input, "k", 5), tau, alpha: optional(input, "alpha", 1) },
  );
  return { loss: encode(value, dtype), grad: encodeRows(grad, dtype) };
}

const functions: Readonly<Record<string, Respond>> = {
  smooth_topk_loss: (backend, input, dtype) =>
    lossAnswer(backend, "smooth-topk", input, dtype, optional(input, "tau", 1)),
  topk_loss: (backend, input, dtype) => lossAnswer(backend, "topk", input, dtype, 1),
  log_esp: async (backend, input, dtype) => {
    const x = matrix(input["x"], "x", dtype);
    const k = number(input["k"], "k");
    const logSigma = encodeRows(await backend.logEsp(x, k), dtype);
    return { log_sigma: logSigma, inclusion: encodeDistributions(await backend.inclusionProbabilities(x, k), dtype) };
  },
  log_esp_hvp: async (backend, input, dtype) => {
    const x = matrix(input["x"], "x", dtype);
    const v = matrix(input["v"], "v", dtype);
    return { hvp: encodeDistributions(await backend.logEspHvp(x, number(input["k"], "k"), v), dtype) };
  },
};

/** What the handshake asks for: who answers, and what it offers. */
function description({ name, dtype }: Backend): Answer {
  return {
    name: `smooth-topk stdio --backend ${name}`,
    version: VERSION,
    language: "TypeScript",
    functions: Object.keys(functions),
    dtypes: DTYPES.filter((offered) => dtype === "float64" || offered !== "float64"),
  };
}

function isDtype(value: unknown): value is Dtype {
  return (DTYPES as readonly unknown[]).includes(value);
}

/** The answer to one line of the protocol; never throws. */
export async function answer(line: string, backend: Backend): Promise<string> {
  // As it is written: 9007199254740993 and 1e400 are no doubles.
  let id = "null";
  try {
    if (jsonDepth(line, DEEPEST) > DEEPEST) throw new RangeError(`the request is nested deeper than ${DEEPEST} levels`);
    const request: unknown = JSON.parse(line);
    if (typeof request !== "object" || request === null || Array.isArray(request)) {
      throw new TypeError("the request is not a JSON object");
    }
    const { function: name, dtype = backend.dtype, input } = request as Record<string, unknown>;
    id = jsonMembers(line).findLast(({ key }) => key === "id")?.text ?? "null";
    if (name === "describe") return `{"id":${id},"output":${JSON.stringify(description(backend))}}`;
    if (typeof name !== "string" || !Object.hasOwn(functions, name)) {
      throw new TypeError(`function is ${shown(name)}, expected one of ${Object.keys(functions).join(", ")}`);
    }
    if (!isDtype(dtype)) throw new TypeError(`dtype is ${shown(dtype)}, expected one of ${DTYPES.join(", ")}`);
    if (dtype === "float64" && backend.dtype !== "float64") {
      throw new TypeError(`dtype is "float64", expected float32: ${backend.name} computes in single precision`);
    }
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      throw new TypeError(`input is ${shown(input)}, expected an object`);
    }
    const output = JSON.stringify(await functions[name](backend, input as Input, dtype));
    return `{"id":${id},"output":${output}}`;
  } catch (error) {
    return `{"id":${id},"error":${JSON.stringify(messageOf(error))}}`;
  }
}
