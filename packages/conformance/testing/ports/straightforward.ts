/**
 * A port in double precision without tricks for speed, and its steps one by one: a mutant is this port with one step
 * replaced by a mistake.
 */
import type { EspCase, LossCase } from "../../src/vectors/case-family.ts";
import { allButOne, type Factor, type Polynomial, preciseCoefficient, product as productOf } from "./factors.ts";
import { add, exponential, type Pair, product, quotient, sum } from "./two-fold.ts";

export interface LossAndGrad {
  readonly loss: number;
  readonly grad: readonly number[];
}

export interface Steps {
  /** The rounding of every operation on coefficients. */
  readonly round: (x: number) => number;
  /** Coefficients above it are scaled down. */
  readonly limit: number;
  readonly temperature: (k: number, tau: number) => Pair;
  /** Which entries the label competes with. */
  readonly others: (scores: readonly number[], label: number) => number[];
  /** What exponentials are taken relative to: about it, k - 1/2 entries are expected in a subset. */
  readonly centre: (x: readonly number[], k: number, temperature: Pair) => number;
  /** The factor of an entry: 1 + e X, or r + X with r = 1 / e for entries above the centre. */
  readonly factor: (x: number, centre: number, temperature: Pair) => Factor;
  /** The product of the factors, of the loss. */
  readonly product: (factors: readonly Factor[], k: number, steps: Steps) => Polynomial;
  /** P_k / P_{k-1}. */
  readonly ratio: (p: Polynomial, k: number) => number;
  readonly allButOne: (factors: readonly Factor[], k: number, steps: Steps) => Polynomial[];
  /** (k alpha + centre - s_y) / (k tau). */
  readonly argument: (input: LossCase, centre: number, labelScore: number, temperature: Pair) => Pair;
  /** tau log(1 + ratio e^a) and its derivative by a, per tau. */
  readonly softplus: (ratio: number, a: Pair, tau: number) => { readonly loss: number; readonly weight: number };
  /** pi^(k) - pi^(k-1) of the factor a + b X, d the product of the others. */
  readonly difference: (factor: Factor, d: Polynomial, k: number) => number;
  readonly isHard: (others: readonly number[], input: LossCase) => boolean;
  readonly smoothRow: (steps: Steps, input: LossCase, row: number) => LossAndGrad;
  readonly hardRow: (steps: Steps, input: LossCase, row: number) => LossAndGrad;
  readonly logSigma: (steps: Steps, x: readonly number[], k: number) => number[];
  readonly inclusion: (steps: Steps, x: readonly number[], k: number) => number[];
  /** pi (1 - pi). */
  readonly variance: (factor: Factor, d: Polynomial, k: number) => number;
  /** The direction, before anything is done with it. */
  readonly direction: (v: readonly number[], x: readonly number[]) => readonly number[];
  readonly hvp: (steps: Steps, x: readonly number[], k: number, v: readonly number[]) => number[];
  /** Of a batch of rows. */
  readonly gradients: (rows: readonly LossAndGrad[]) => readonly (readonly number[])[];
  /** Throws for input that is not of this kind. */
  readonly check: (input: LossCase | EspCase) => void;
}

const NO_SCALE: Pair = [1, 0];

const descending = (values: readonly number[]): number[] => values.toSorted((p, q) => q - p);

/** (x - centre) / T. */
export function scaled(x: number, centre: number, temperature: Pair): Pair {
  return quotient(sum(x, -centre), temperature);
}

export const correct: Steps = {
  round: (x) => x,
  limit: 2 ** 400,
  temperature: (k, tau) => product(k, tau),
  others: (scores, label) => scores.flatMap((s, i) => (i !== label && s > -Infinity ? [i] : [])),

  centre: (x, k, [temperature]) => {
    let [low, high] = [Math.min(...x) - 50 * temperature, Math.max(...x) + 50 * temperature];
    for (let step = 0; step < 60; step++) {
      const middle = low + (high - low) / 2;
      const expected = x.reduce((total, v) => total + 1 / (1 + Math.exp((middle - v) / temperature)), 0);
      if (expected > k - 0.5) low = middle;
      else high = middle;
    }
    return low;
  },

  factor: (x, centre, temperature) => {
    const [high, low] = scaled(x, centre, temperature);
    const exponent: Pair = high > 0 ? [-high, -low] : [high, low];
    const e = exponential(exponent);
    return high > 0 ? { a: e, b: 1, exponent } : { a: 1, b: e, exponent };
  },

  product: (factors, k, { round, limit }) => productOf(factors, k, round, limit),
  ratio: ({ c }, k) => c[k] / c[k - 1],
  allButOne: (factors, k, steps) => allButOne(factors, k, (x) => steps.round(x), steps.limit),

  argument: ({ k, alpha }, centre, labelScore, temperature) =>
    quotient(add(product(k, alpha), sum(centre, -labelScore)), temperature),

  softplus: (ratio, a, tau) => {
    if (a[0] > 600) return { loss: tau * (a[0] + a[1] + Math.log(ratio)), weight: 1 };
    const odds = ratio * exponential(a);
    return { loss: tau * Math.log1p(odds), weight: odds / (1 + odds) };
  },

  difference: ({ a, b }, { c: d }, k) => {
    const below = k >= 2 ? d[k - 2] : 0;
    return (a * b * (d[k - 1] * d[k - 1] - below * d[k])) / (a * d[k] + b * d[k - 1]) / (a * d[k - 1] + b * below);
  },

  isHard: () => false,

  smoothRow: (steps, input, row) => {
    const scores = input.scores[row];
    const label = input.labels[row];
    const { k, tau } = input;
    const indices = steps.others(scores, label);
    const grad = new Array<number>(scores.length).fill(0);
    const others = indices.map((i) => scores[i]);
    if (others.length < k) return { loss: 0, grad };
    if (steps.isHard(descending(others), input)) return steps.hardRow(steps, input, row);
    const temperature = steps.temperature(k, tau);
    const centre = steps.centre(others, k, temperature);
    const factors = others.map((s) => steps.factor(s, centre, temperature));
    const ratio = steps.ratio(steps.product(factors, k, steps), k);
    const { loss, weight } = steps.softplus(ratio, steps.argument(input, centre, scores[label], temperature), tau);
    steps.allButOne(factors, k, steps).forEach((d, at) => {
      grad[indices[at]] = (weight / k) * steps.difference(factors[at], d, k);
    });
    grad[label] = -weight / k;
    return { loss, grad };
  },

  hardRow: (steps, { scores, labels, k, alpha }, row) => {
    const own = scores[row][labels[row]];
    const indices = steps.others(scores[row], labels[row]);
    const grad = new Array<number>(scores[row].length).fill(0);
    if (indices.length < k) return { loss: 0, grad };
    const kth = descending(indices.map((i) => scores[row][i]))[k - 1];
    const loss = Math.max(0, alpha + (kth - own) / k);
    if (loss === 0) return { loss, grad };
    const tied = indices.filter((i) => scores[row][i] === kth);
    for (const i of tied) grad[i] = 1 / k / tied.length;
    grad[labels[row]] = -1 / k;
    return { loss, grad };
  },

  // Around the j-th largest entry c, P_j is at least 1, and log sigma_j = log P_j + sum over the entries above c of x_i
  // + (j - their number) c. A short sum of large terms: kept in pairs.
  logSigma: (steps, x, k) => {
    const present = descending(x.filter((v) => v > -Infinity));
    return Array.from({ length: k + 1 }, (_, j) => {
      if (j === 0) return 0;
      if (j > present.length) return -Infinity;
      const centre = present[j - 1];
      const factors = present.map((v) => steps.factor(v, centre, NO_SCALE));
      const { c, scale } = productOf(factors, j, steps.round, steps.limit);
      const above = present.filter((v) => v > centre);
      let exponent: Pair = product(j - above.length, centre);
      for (const v of above) exponent = add(exponent, [v, 0]);
      const logarithm: Pair = add([Math.log(c[j]), 0], product(scale, Math.LN2));
      const total = add(exponent, logarithm);
      // Two large logarithms may cancel: where sigma_j is of moderate size, one logarithm of it. Errors of the factors of
      // equal entries add up, to more than the contract leaves: pairs here too.
      if (Math.abs(total[0]) < 30) {
        const precise = preciseCoefficient(factors, j, steps.limit);
        return Math.log(precise.c * 2 ** precise.scale * exponential(exponent));
      }
      return total[0] + total[1];
    });
  },

  inclusion: (steps, x, k) => {
    const indices = steps.others(x, -1);
    if (indices.length < k) return [];
    const pi = new Array<number>(x.length).fill(0);
    if (k === 0) return pi;
    const centre = steps.centre(
      indices.map((i) => x[i]),
      k,
      NO_SCALE,
    );
    const factors = indices.map((i) => steps.factor(x[i], centre, NO_SCALE));
    steps.allButOne(factors, k, steps).forEach(({ c: d }, at) => {
      const { a, b } = factors[at];
      pi[indices[at]] = (b * d[k - 1]) / (a * d[k] + b * d[k - 1]);
    });
    return pi;
  },

  variance: ({ a, b }, { c: d }, k) => {
    const total = a * d[k] + b * d[k - 1];
    return ((b * d[k - 1]) / total) * ((a * d[k]) / total);
  },

  direction: (v, x) => {
    const least = Math.min(...v.filter((_, i) => x[i] > -Infinity));
    return v.map((value) => value - least);
  },

  // pi (1 - pi) (E[S | i in A] - E[S | i not in A]): both expectations are quotients of positive sums.
  hvp: (steps, x, k, v) => {
    const indices = steps.others(x, -1);
    if (indices.length < k) return [];
    const out = new Array<number>(x.length).fill(0);
    if (k === 0 || indices.length === k) return out;
    const direction = steps.direction(v, x);
    const centre = steps.centre(
      indices.map((i) => x[i]),
      k,
      NO_SCALE,
    );
    const factors = indices.map((i) => ({ ...steps.factor(x[i], centre, NO_SCALE), v: direction[i] }));
    steps.allButOne(factors, k, steps).forEach((d, at) => {
      const variance = steps.variance(factors[at], d, k);
      const within = d.t[k - 1] / d.c[k - 1] + factors[at].v;
      const without = d.t[k] / d.c[k];
      if (variance > 0) out[indices[at]] = variance * (within - without);
    });
    return out;
  },

  gradients: (rows) => rows.map(({ grad }) => grad),

  check: (input) => {
    const rows = "scores" in input ? input.scores : input.x;
    const { k } = input;
    const refuse = (what: string): never => {
      throw new RangeError(what);
    };
    for (const row of rows) {
      if (row.length !== rows[0].length) refuse("rows of different lengths");
      if (!row.every((v) => v < Infinity)) refuse("scores are not all finite or -Infinity");
    }
    const highest = rows[0].length - ("scores" in input ? 1 : 0);
    if (!Number.isInteger(k) || k < ("scores" in input ? 1 : 0) || k > highest) refuse(`k is ${k}`);
    if ("scores" in input) {
      const { labels, tau, alpha } = input;
      if (labels.length !== rows.length) refuse("labels are not one a row");
      labels.forEach((label, b) => {
        if (!(rows[b][label] > -Infinity)) refuse(`label is ${label}`);
      });
      if (!(tau > 0 && tau < Infinity)) refuse(`tau is ${tau}`);
      if (!Number.isFinite(alpha)) refuse(`alpha is ${alpha}`);
    } else if (input.v.length > 0) {
      if (input.v.length !== rows.length) refuse("v is not of the shape of x");
      for (const row of input.v) {
        if (row.length !== rows[0].length || !row.every(Number.isFinite))
          refuse("v is not of the shape of x, or not finite");
      }
    }
  },
};
