/**
 * Cross-entropy: the smooth top-k loss at k = 1, tau = 1, alpha = 0, as a kernel of its own.
 */
import { divide, expBelow, twoSum, UNIT_SCALE } from "@smooth-topk/esym/kernel";
import {
  type BatchOptions,
  type Buffers,
  checkBatch,
  type Labels,
  type LossValue,
  type Reduction,
  reduceRows,
  type Scores,
  type ValueAndGrad,
} from "./batch.ts";
import { softplus } from "./softplus.ts";

let exponentials = new Float64Array(0);

/** Terms added in plain recursion before the compensated outer sum takes over. */
const BLOCK = 256;

/** Sum of n non-negative terms: four running sums in a block, blocks compensated; relative error below 64 u. */
function sum(terms: Float64Array, n: number): number {
  let total = 0;
  let compensation = 0;
  for (let from = 0; from < n; from += BLOCK) {
    const to = Math.min(from + BLOCK, n);
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = from;
    for (; i + 3 < to; i += 4) {
      a += terms[i];
      b += terms[i + 1];
      c += terms[i + 2];
      d += terms[i + 3];
    }
    for (; i < to; i++) a += terms[i];
    const block = a + b + (c + d);
    const next = total + block;
    const back = next - total;
    compensation += total - (next - back) + (block - back);
    total = next;
  }
  return total + compensation;
}

/**
 * log sum_i exp(s_i) - s_y as log1p(sum over i != y of exp(s_i - s_y)): no digits are lost where y dominates.
 */
function crossEntropyRow(
  x: Float64Array,
  n: number,
  label: number,
  weight: number,
  grad: Float64Array | null,
  offset: number,
): number {
  const labelScore = x[label];
  x[label] = -Infinity;
  let centre = -Infinity;
  for (let i = 0; i < n; i++) {
    const v = x[i];
    if (v > centre) centre = v;
  }
  if (centre === -Infinity) {
    grad?.fill(0, offset, offset + n);
    return 0;
  }
  if (exponentials.length < n) exponentials = new Float64Array(n);
  expBelow(x, n, centre, UNIT_SCALE, exponentials);
  const others = sum(exponentials, n);
  const { value, derivative } = softplus(others, divide(twoSum(centre, -labelScore), UNIT_SCALE.temperature));
  if (grad !== null) {
    const factor = (weight * derivative) / others;
    for (let i = 0; i < n; i++) grad[offset + i] = factor * exponentials[i];
    grad[offset + label] = -weight * derivative;
  }
  return value;
}

function run<R extends Reduction | undefined>(
  caller: string,
  scores: Scores,
  labels: Labels,
  options: BatchOptions & { readonly reduction?: R; readonly out?: Buffers | undefined },
  wantGrad: boolean,
): ValueAndGrad<R> {
  const batch = checkBatch(caller, scores, labels, options);
  const { n } = batch.rows;
  return reduceRows(caller, batch, options, wantGrad, (x, label, weight, grad, offset) =>
    crossEntropyRow(x, n, label, weight, grad, offset),
  );
}

/**
 * Cross-entropy of softmax(scores): log sum_i exp(s_i) - s_y.
 *
 * @param scores  [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels  [batch] class indices, or a number for one sample.
 * @returns the mean over samples, the sum, or [batch] values, by `reduction`.
 * @throws RangeError or TypeError naming the argument, the index and the value, before anything is computed.
 *
 * Relative error of each sample's loss below 8 u (u = 2^-53), also where the label dominates. O(n) time per sample.
 */
export function crossEntropy<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: BatchOptions & { readonly reduction?: R } = {},
): LossValue<R> {
  return run("crossEntropy", scores, labels, options, false).value;
}

/**
 * Cross-entropy and its gradient softmax(scores) - [i = y], fused; the label's entry is minus the sum of the others.
 *
 * @param options.out  memory for the results.
 * @returns value as {@link crossEntropy}, grad of the shape and precision of scores.
 * @throws as {@link crossEntropy}.
 *
 * Every gradient entry in the normal range has a relative error below 16 u. O(n) time per sample.
 */
export function crossEntropyValueAndGrad<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: BatchOptions & { readonly reduction?: R; readonly out?: Buffers | undefined } = {},
): ValueAndGrad<R> {
  return run("crossEntropyValueAndGrad", scores, labels, options, true) as ValueAndGrad<R>;
}
