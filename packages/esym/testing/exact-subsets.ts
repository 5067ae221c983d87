/**
 * Exact values by enumeration over subsets, and rows for which they are exact: what the identities of
 * docs/poisson-binomial.md are compared with. Nothing here shares anything with this package.
 *
 * Most rows here are logarithms of integers e_i from 0 to 9, or multiples of log 2 up to 2 log 2: enumeration over
 * subsets then adds and multiplies small integers (or dyadic numbers), which doubles do without rounding, and is exact.
 * What rounds is x_i: one ulp of a logarithm below 4, or two roundings of a product below 1.4, at most 4 u. That moves
 * log sigma_k by sum_i pi_i 4 u = 4 k u, and log pi_i by sum_l |H_il| / pi_i 4 u = 8 (1 - pi_i) u <= 8 u. In
 * (H v)_i = Cov([i in A], v(A)) it moves sum_l E|a_i - pi_i| |a_l - pi_l| |v(A) - E v| 4 u, with
 * E|a_i - pi_i| = 2 H_ii, sum_l |a_l - pi_l| <= 2 k and v(A) within k R, R = max v - min v: at most 16 k^2 R H_ii u.
 */
import * as fc from "fast-check";
import { expect } from "vitest";

export const U = 2 ** -53;
/** Promised by the docstrings, plus the 8 u of the rows above and one rounding of the expected quotient. */
export const inclusionBound = (k: number): number => (64 * k + 9) * U;

export const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((s, v) => s + v, 0);
export const product = (values: readonly number[]): number => values.reduce((p, v) => p * v, 1);
export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => sum(Array.from(a, (v, i) => v * b[i]));
export const pick = (values: readonly number[], subset: readonly number[]): number[] => subset.map((i) => values[i]);
export const choose = (n: number, k: number): number => subsets(n, k).length;

/** All k-subsets of [0, n), ascending. */
export function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const out: number[][] = [];
  for (let i = from; i < n; i++) for (const rest of subsets(n, k - 1, i + 1)) out.push([i, ...rest]);
  return out;
}

/** The sum over k-subsets A of prod over A of e_i, times f(A): exact while it is a sum of small integers. */
export const total = (e: readonly number[], k: number, f: (a: number[]) => number = () => 1): number =>
  sum(subsets(e.length, k).map((a) => product(pick(e, a)) * f(a)));

export const has = (i: number) => (a: number[]) => (a.includes(i) ? 1 : 0);

/** log sigma_k of a row with errors of 4 u, against the exact sigma_k: 2 u promised, 2 u for the expected logarithm. */
export function expectLog(actual: number, exact: number, k: number): void {
  const bound = (4 * Math.max(1, Math.abs(Math.log(exact))) + 4 * k + 1) * U;
  expect(Math.abs(actual - Math.log(exact))).toBeLessThanOrEqual(bound);
}

export function expectWithin(actual: number, expected: number, bound: number): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(bound);
}

/** Integer weights, 0 for a removed entry, and k with at least one k-subset of positive weight. */
export const weights = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 8 })
  .filter((e) => e.some((v) => v > 0))
  .chain((e) => fc.record({ e: fc.constant(e), k: fc.integer({ min: 1, max: e.filter((v) => v > 0).length }) }));
export const logs = (e: readonly number[]): number[] => e.map((v) => Math.log(v));

/** Exponents z for weights 2^z at x = z log 2, and k. */
export const exponents = fc
  .array(fc.integer({ min: -2, max: 2 }), { minLength: 2, maxLength: 8 })
  .chain((z) => fc.record({ z: fc.constant(z), k: fc.integer({ min: 1, max: z.length }) }));

/** E f and Cov([i in A], v(A)) of the k-subset distribution: numerator and denominator exact. */
export const mean = (e: readonly number[], k: number, f: (a: number[]) => number): number =>
  total(e, k, f) / total(e, k);
export function covariance(
  e: readonly number[],
  k: number,
  f: (a: number[]) => number,
  g: (a: number[]) => number,
): number {
  const all = total(e, k);
  return (all * total(e, k, (a) => f(a) * g(a)) - total(e, k, f) * total(e, k, g)) / all ** 2;
}
