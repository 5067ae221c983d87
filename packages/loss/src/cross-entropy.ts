/**
 * Cross-entropy: the smooth top-k loss at k = 1, tau = 1, alpha = 0, whose log-ratio is a log-sum-exp of the other classes.
 *
 * log sum_i exp(s_i) - s_y = log1p(sum over i != y of exp(s_i - s_y)): no digits are lost where y dominates.
 */
import { cpuBackend } from "@smooth-topk/esym";
import {
  type BatchOptions,
  type Buffers,
  checkBatch,
  type Labels,
  type LossValue,
  type Reduction,
  type Scores,
  type ValueAndGrad,
} from "./batch.ts";
import { type AnyBackend, type Eventual, lossOfRatio } from "./loss-of-ratio.ts";

/** The cross-entropy on a backend. */
export function crossEntropyOn<R extends Reduction | undefined>(
  backend: AnyBackend,
  scores: Scores,
  labels: Labels,
  options: BatchOptions & { readonly reduction?: R; readonly out?: Buffers | undefined },
  wantGrad: boolean,
): Eventual<ValueAndGrad<R>> {
  const caller = wantGrad ? "crossEntropyValueAndGrad" : "crossEntropy";
  const batch = checkBatch(caller, scores, labels, options, wantGrad ? ["out"] : []);
  return lossOfRatio<R>(backend, caller, batch, { k: 1, tau: 1, alpha: 0 }, options.out, wantGrad);
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
 *
 * @example
 * ```ts
 * import { crossEntropy } from "@smooth-topk/loss";
 *
 * console.log(crossEntropy([[2, 1, 0, -1]], [1])); // 1.4402
 * ```
 */
export function crossEntropy<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: BatchOptions & { readonly reduction?: R } = {},
): LossValue<R> {
  return (crossEntropyOn(cpuBackend.sync, scores, labels, options, false) as ValueAndGrad<R>).value;
}

/**
 * Cross-entropy and its gradient softmax(scores) - [i = y], fused; the label's entry is minus the sum of the others.
 *
 * @param options.out  memory for the results.
 * @returns value as {@link crossEntropy}, grad of the shape and precision of scores.
 * @throws as {@link crossEntropy}.
 *
 * Every gradient entry in the normal range has a relative error below 16 u. O(n) time per sample.
 *
 * @example
 * ```ts
 * import { crossEntropyValueAndGrad } from "@smooth-topk/loss";
 *
 * const { value, grad } = crossEntropyValueAndGrad([2, 1, 0, -1], 1);
 * console.log(value, grad); // 1.4402, 0.6439, -0.7631, 0.0871, 0.0321
 * ```
 */
export function crossEntropyValueAndGrad<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: BatchOptions & { readonly reduction?: R; readonly out?: Buffers | undefined } = {},
): ValueAndGrad<R> {
  return crossEntropyOn(cpuBackend.sync, scores, labels, options, true) as ValueAndGrad<R>;
}
