/**
 * The smooth top-k loss of one row in double-double: fast enough to judge millions of rows, and right to 2^-80 where it
 * answers at all. What is near the limit by it goes to the oracle.
 *
 * With T = k tau and c the k-th largest of the others, P = prod (a_i + b_i X) of positive terms, a_i = 1 or b_i = 1: every
 * operation has a relative error of a few 2^-104 and nothing cancels but the margin, whose sum is right relative to
 * itself. n entries cost n + k such errors in P: below 2^-80 for n up to 10^6.
 */
import { add, divide, type DoubleDouble, multiply, twoProduct, twoSum } from "@smooth-topk/esym/kernel";
import { exp, log, log1p } from "./double-double-functions.ts";

export interface LossCase {
  readonly scores: readonly number[];
  readonly label: number;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

export interface JudgedLoss {
  readonly loss: DoubleDouble;
  readonly z: number;
  /** dL/ds at the label, and at the entry asked for. */
  readonly atLabel: DoubleDouble;
  readonly atEntry: DoubleDouble;
}

/** Beyond these a split product or a coefficient may leave the range: the oracle's task. */
const LARGEST = 1e290;
const SMALLEST = 1e-290;

/**
 * @param entry  an index besides the label's whose gradient entry is wanted.
 * @returns null where it cannot say: numbers or coefficients out of range, too few classes.
 */
export function judgeLoss({ scores, label, k, tau, alpha }: LossCase, entry: number): JudgedLoss | null {
  const others = scores.filter((s, i) => i !== label && s > -Infinity);
  if (others.length < k || scores[entry] === -Infinity) return null;
  const centre = others.toSorted((a, b) => b - a)[k - 1];
  const sizes = [...others, scores[label], k * alpha, k * tau, 1 / (k * tau)].map(Math.abs);
  if (Math.max(...sizes) > 1e140 || k * tau < 1e-140) return null;
  const temperature = twoProduct(k, tau);
  const factorOf = (s: number): [DoubleDouble, DoubleDouble] => {
    const e = exp(divide(twoSum(-Math.abs(s - centre), -rest(s, centre)), temperature));
    return s > centre ? [e, [1, 0]] : [[1, 0], e];
  };
  const product = polynomial(k);
  const without = polynomial(k);
  for (const [i, s] of scores.entries()) {
    if (i === label || s === -Infinity) continue;
    const [a, b] = factorOf(s);
    multiplyFactor(product, a, b);
    if (i !== entry) multiplyFactor(without, a, b);
  }
  const [top, below] = [at(product, k), at(product, k - 1)];
  if (!(top[0] < LARGEST && below[0] < LARGEST && below[0] > SMALLEST)) return null;
  const ratio = divide(top, below);
  const margin = divide(add(twoProduct(k, alpha), twoSum(centre, -scores[label])), temperature);
  const z = margin[0] + Math.log(ratio[0]);
  let loss: DoubleDouble;
  let weight: DoubleDouble;
  if (z > 0) {
    const inverse = divide(exp([-margin[0], -margin[1]]), ratio);
    loss = add(add(margin, log(ratio)), log1p(inverse));
    weight = divide([1, 0], add([1, 0], inverse));
  } else {
    const odds = multiply(ratio, exp(margin));
    loss = log1p(odds);
    weight = divide(odds, add([1, 0], odds));
  }
  const step = divide(weight, [k, 0]);
  const [a, b] = factorOf(scores[entry]);
  const [d0, d1, d2] = [k - 2, k - 1, k].map((j) => (j < 0 ? ([0, 0] as const) : at(without, j)));
  const lower = multiply(d0, d2);
  const bracket = add(multiply(d1, d1), [-lower[0], -lower[1]]);
  const slope = divide(multiply(multiply(a, b), bracket), multiply(top, below));
  return { loss: multiply([tau, 0], loss), z, atLabel: [-step[0], -step[1]], atEntry: multiply(step, slope) };
}

/** What |s - centre| lacks of the exact difference. */
function rest(s: number, centre: number): number {
  const [hi, lo] = twoSum(s, -centre);
  return hi < 0 ? -lo : lo;
}

/** Coefficients 0 to k in double-double, high parts first. */
function polynomial(k: number): Float64Array {
  const p = new Float64Array(2 * (k + 1));
  p[0] = 1;
  return p;
}

function at(p: Float64Array, j: number): DoubleDouble {
  return [p[j], p[p.length / 2 + j]];
}

function multiplyFactor(p: Float64Array, a: DoubleDouble, b: DoubleDouble): void {
  const width = p.length / 2;
  for (let j = width - 1; j >= 0; j--) {
    let term = multiply(a, [p[j], p[width + j]]);
    if (j > 0) term = add(term, multiply(b, [p[j - 1], p[width + j - 1]]));
    p[j] = term[0];
    p[width + j] = term[1];
  }
}
