/** A family of test cases: what they have in common, and how one is drawn. */
import type { Dtype } from "../dtypes.ts";
import type { SeededDraw } from "./seeded-draw.ts";

/** Input of a smooth top-k loss, before it is written; also that of the hard one, which leaves tau out. */
export interface LossCase {
  readonly scores: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

export interface EspCase {
  readonly x: readonly (readonly number[])[];
  readonly k: number;
  /** A direction a row, for Hessian-vector products. */
  readonly v: readonly (readonly number[])[];
}

export interface Family<Case> {
  /** In kebab case: part of the ids. */
  readonly name: string;
  /** How many are among the vectors. */
  readonly count: number;
  /** Those that the input does not tell. */
  readonly flags: readonly string[];
  readonly comment: string;
  /** The grids that inputs are drawn from in turn; by default all. */
  readonly dtypes?: readonly Dtype[];
  /** Case number `at`: parameters go through their values in turn, the rest is drawn. */
  draw(draw: SeededDraw, at: number): Case;
}

/** Element number `at` of a list without end. */
export function cycle<T>(values: readonly T[], at: number): T {
  return values[at % values.length];
}

/** The first cases of a family. */
export function withCount<Case>(family: Family<Case>, count: number): Family<Case> {
  return { ...family, count };
}
