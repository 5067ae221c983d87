/**
 * The format of the test vectors, as schemas/vectors.schema.json describes it, and of the protocol's numbers.
 */
import type { Dtype } from "../dtypes.ts";

/** A function of the port protocol. */
export type FunctionName = "smooth_topk_loss" | "topk_loss" | "log_esp" | "log_esp_hvp";

export const FUNCTIONS: readonly FunctionName[] = ["smooth_topk_loss", "topk_loss", "log_esp", "log_esp_hvp"];

/** A number in JSON: the non-finite ones are strings. */
export type JsonNumber = number | "Infinity" | "-Infinity" | "NaN";

/** Of the losses. */
export interface LossInput {
  readonly scores: readonly (readonly JsonNumber[])[];
  readonly labels: readonly JsonNumber[];
  readonly k: JsonNumber;
  /** Absent for topk_loss. */
  readonly tau?: JsonNumber;
  readonly alpha: JsonNumber;
}

/** Of log_esp, and with v of log_esp_hvp. */
export interface EspInput {
  readonly x: readonly (readonly JsonNumber[])[];
  readonly k: JsonNumber;
  readonly v?: readonly (readonly JsonNumber[])[];
}

export type Input = LossInput | EspInput;

/** What an output holds, by name: one number per row, or one array of numbers per row. */
export type Output<T> = Readonly<Record<string, readonly (T | readonly T[])[]>>;

/**
 * - valid: the port must answer, within tolerance.
 * - invalid: the port must answer with an error.
 * - acceptable: more than one answer is right (a subgradient at a kink); reported, never failed.
 */
export type Expectation = "valid" | "invalid" | "acceptable";

export interface TestCase {
  /** Never changes and is never used again: function, family and number. */
  readonly id: string;
  readonly comment: string;
  readonly flags: readonly string[];
  /** The precisions that hold the input exactly: the case is for these. */
  readonly dtypes: readonly Dtype[];
  readonly result: Expectation;
  readonly input: Input;
  /** The correctly rounded results. Absent for invalid input. */
  readonly expected?: Output<JsonNumber>;
  /** The same to 40 significant digits. */
  readonly digits?: Output<string>;
  /** log_esp_hvp: pi_i (1 - pi_i), the diagonal of the Hessian, which its errors are relative to. */
  readonly variance?: readonly (readonly JsonNumber[])[];
}

export interface Note {
  readonly bugType: string;
  readonly description: string;
  readonly effect?: string;
}

export interface VectorFile {
  readonly schema: string;
  /** Of the vectors: the major number changes where a case changes or goes, the minor where one comes. */
  readonly version: string;
  readonly function: FunctionName;
  readonly header: readonly string[];
  readonly notes: Readonly<Record<string, Note>>;
  readonly numberOfTests: number;
  readonly tests: readonly TestCase[];
}

const NON_FINITE: Readonly<Record<string, number>> = { Infinity, "-Infinity": -Infinity, NaN };

/** The number that a JSON value stands for, or undefined where it is none. */
export function fromJson(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && Object.hasOwn(NON_FINITE, value) ? NON_FINITE[value] : undefined;
}

export function toJson(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}

/** The numbers of a JSON array that is known to hold numbers only. */
export function numbersOf(values: readonly JsonNumber[]): number[] {
  return values.map((value) => fromJson(value) ?? NaN);
}
