/**
 * Polynomials prod (a_i + b_i X) of numbers in double precision, the way one would write them down: the product, and
 * the product of all others for each factor, by halves.
 */
import { add, type Pair, preciseExponential, times } from "./two-fold.ts";

export interface Factor {
  readonly a: number;
  readonly b: number;
  /** Whose exponential is the one of a and b that is not 1, where more digits of it may be asked for. */
  readonly exponent?: Pair;
  /** Of b with respect to a direction, per b: v_i. */
  readonly v?: number;
}

/** Coefficients 0 to k, and those of the derivative along v, divided by 2^scale so that none overflows. */
export interface Polynomial {
  readonly c: readonly number[];
  readonly t: readonly number[];
  readonly scale: number;
}

export type Round = (x: number) => number;

const one = (k: number): Polynomial => ({
  c: Array.from({ length: k + 1 }, (_, j) => (j === 0 ? 1 : 0)),
  t: new Array<number>(k + 1).fill(0),
  scale: 0,
});

function withFactor({ c, t, scale }: Polynomial, { a, b, v = 0 }: Factor, round: Round, limit: number): Polynomial {
  const at = (values: readonly number[], j: number): number => (j < 0 ? 0 : values[j]);
  const coefficients = c.map((_, j) => round(round(a * c[j]) + round(b * at(c, j - 1))));
  const tangent = t.map((_, j) => a * t[j] + b * at(t, j - 1) + b * v * at(c, j - 1));
  if (Math.max(...coefficients) < limit) return { c: coefficients, t: tangent, scale };
  const down = 1 / limit;
  return { c: coefficients.map((x) => x * down), t: tangent.map((x) => x * down), scale: scale + Math.log2(limit) };
}

/** @param limit  coefficients above it are scaled down by it, a power of two; Infinity for never. */
export function product(factors: readonly Factor[], k: number, round: Round, limit: number): Polynomial {
  return factors.reduce((p, factor) => withFactor(p, factor, round, limit), one(k));
}

/** Coefficient k of the product, in pairs, rounded once. */
export function preciseCoefficient(
  factors: readonly Factor[],
  k: number,
  limit: number,
): { readonly c: number; readonly scale: number } {
  let c: Pair[] = Array.from({ length: k + 1 }, (_, j) => [j === 0 ? 1 : 0, 0]);
  let scale = 0;
  for (const { a, b, exponent } of factors) {
    const precise = exponent && preciseExponential(exponent);
    const first: Pair = precise && b === 1 ? precise : [a, 0];
    const second: Pair = precise && b !== 1 ? precise : [b, 0];
    for (let j = k; j > 0; j--) c[j] = add(times(first, c[j]), times(second, c[j - 1]));
    c[0] = times(first, c[0]);
    if (c.every(([high]) => high < limit)) continue;
    c = c.map(([high, low]) => [high / limit, low / limit]);
    scale += Math.log2(limit);
  }
  return { c: c[k][0] + c[k][1], scale };
}

/** For each factor, the product of all others: positive terms only, nothing divided or subtracted. */
export function allButOne(factors: readonly Factor[], k: number, round: Round, limit: number): Polynomial[] {
  const out: Polynomial[] = [];
  const descend = (from: number, to: number, outside: Polynomial): void => {
    if (to - from <= 1) {
      if (to > from) out.push(outside);
      return;
    }
    const middle = (from + to) >> 1;
    const and = (others: readonly Factor[]): Polynomial =>
      others.reduce((p, factor) => withFactor(p, factor, round, limit), outside);
    descend(from, middle, and(factors.slice(middle, to)));
    descend(middle, to, and(factors.slice(from, middle)));
  };
  descend(0, factors.length, one(k));
  return out;
}
