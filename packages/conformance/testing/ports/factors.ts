/**
 * Polynomials prod (a_i + b_i X) of numbers in double precision, the way one would write them down: the product, and
 * the product of all others for each factor, by halves.
 */
export interface Factor {
  readonly a: number;
  readonly b: number;
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

function times({ c, t, scale }: Polynomial, { a, b, v = 0 }: Factor, round: Round, limit: number): Polynomial {
  const at = (values: readonly number[], j: number): number => (j < 0 ? 0 : values[j]);
  const coefficients = c.map((_, j) => round(round(a * c[j]) + round(b * at(c, j - 1))));
  const tangent = t.map((_, j) => a * t[j] + b * at(t, j - 1) + b * v * at(c, j - 1));
  if (Math.max(...coefficients) < limit) return { c: coefficients, t: tangent, scale };
  const down = 1 / limit;
  return { c: coefficients.map((x) => x * down), t: tangent.map((x) => x * down), scale: scale + Math.log2(limit) };
}

/** @param limit  coefficients above it are scaled down by it, a power of two; Infinity for never. */
export function product(factors: readonly Factor[], k: number, round: Round, limit: number): Polynomial {
  return factors.reduce((p, factor) => times(p, factor, round, limit), one(k));
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
      others.reduce((p, factor) => times(p, factor, round, limit), outside);
    descend(from, middle, and(factors.slice(middle, to)));
    descend(middle, to, and(factors.slice(from, middle)));
  };
  descend(0, factors.length, one(k));
  return out;
}
