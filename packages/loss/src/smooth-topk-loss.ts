/**
 * The smooth top-k loss L_{k,tau} of Berrada, Zisserman and Kumar, exact at every temperature.
 */
import { cpuBackend } from "@smooth-topk/esym";
import { checkOrder, describe } from "@smooth-topk/esym/kernel";
import {
  type Batch,
  type BatchOptions,
  type Buffers,
  checkBatch,
  checkMargin,
  type Labels,
  type LossValue,
  type Reduction,
  type Scores,
  type ValueAndGrad,
} from "./batch.ts";
import { type AnyBackend, type Eventual, lossOfRatio } from "./loss-of-ratio.ts";

export interface SmoothTopkOptions extends BatchOptions {
  /** How many guesses the loss allows: 1 <= k <= n - 1. Default 5. */
  readonly k?: number | undefined;
  /** Temperature, > 0: towards 0 the loss becomes the hard top-k loss. Default 1. */
  readonly tau?: number | undefined;
  /** Margin, >= 0 in the paper, any finite number here. Default 1. */
  readonly alpha?: number | undefined;
}

/** Checks all arguments of a smooth loss. */
export function checkSmoothTopk(
  caller: string,
  scores: Scores,
  labels: Labels,
  options: SmoothTopkOptions,
  buffers: readonly string[] = [],
): { readonly batch: Batch; readonly k: number; readonly tau: number; readonly alpha: number } {
  const batch = checkBatch(caller, scores, labels, options, ["k", "tau", "alpha", ...buffers]);
  const { k = 5, tau = 1, alpha = 1 } = options;
  checkTau(caller, k, tau);
  checkMargin(caller, alpha);
  checkOrder(caller, k, batch.rows.n, 1, 1);
  return { batch, k, tau, alpha };
}

/** The smooth top-k loss on a backend. */
export function smoothTopkLossOn<R extends Reduction | undefined>(
  backend: AnyBackend,
  scores: Scores,
  labels: Labels,
  options: SmoothTopkOptions & { readonly reduction?: R; readonly out?: Buffers | undefined },
  wantGrad: boolean,
): Eventual<ValueAndGrad<R>> {
  const caller = wantGrad ? "smoothTopkLossValueAndGrad" : "smoothTopkLoss";
  const { batch, ...parameters } = checkSmoothTopk(caller, scores, labels, options, wantGrad ? ["out"] : []);
  return lossOfRatio<R>(backend, caller, batch, parameters, options.out, wantGrad);
}

/** k tau and its reciprocal must be doubles with room for an exponential's argument. */
function checkTau(caller: string, k: number, tau: number): void {
  if (typeof tau !== "number" || !(tau > 0)) {
    throw new RangeError(`${caller}: tau must be a number > 0: got tau = ${describe(tau)}`);
  }
  if (!(k * tau >= 1e-280 && k * tau <= 1e280) && Number.isInteger(k) && k >= 1) {
    throw new RangeError(`${caller}: k tau must be between 1e-280 and 1e280: got tau = ${tau}`);
  }
}

/**
 * Smooth top-k loss:
 * L = tau softplus(alpha / tau + log sigma_k(e without y) - log sigma_{k-1}(e without y) - s_y / (k tau)),
 * e_i = exp(s_i / (k tau)).
 *
 * It bounds the top-k error from above, scaled by tau log(1 + exp(alpha / tau) / k), and tends to the hard loss
 * max(0, alpha + (s_[k] - s_y) / k) as tau -> 0. Mind the scale 1 / k of the scores, which is that of the authors'
 * code; at k = 1, tau = 1, alpha = 0 the loss is the cross-entropy.
 *
 * @param scores  [batch, n], or [n] for one sample; -Infinity masks a class. Where masking leaves fewer than k
 *                classes besides y, the loss and its gradient are 0.
 * @param labels  [batch] class indices, or a number for one sample.
 * @returns the mean over samples, the sum, or [batch] values, by `reduction`.
 * @throws RangeError or TypeError naming the argument, the index and the value, before anything is computed.
 *
 * Relative error of each sample's loss below min(9, 8 + |z|) u, u = 2^-53. Time per sample hardly depends on k:
 * docs/algorithm.md, section 11.
 * Berrada, Zisserman, Kumar (2018), equations (9) and (14).
 *
 * @example
 * ```ts
 * import { smoothTopkLoss } from "@smooth-topk/loss";
 *
 * console.log(smoothTopkLoss([[2, 1, 0, -1]], [1], { k: 2 })); // 1.0633
 * ```
 */
export function smoothTopkLoss<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: SmoothTopkOptions & { readonly reduction?: R } = {},
): LossValue<R> {
  return (smoothTopkLossOn(cpuBackend.sync, scores, labels, options, false) as ValueAndGrad<R>).value;
}

/**
 * Smooth top-k loss and its gradient in the scores, fused.
 *
 * With w = logistic(z): dL/ds_y = -w / k and, for the others, dL/ds_i = (w / k) (pi_i^(k) - pi_i^(k-1)), evaluated
 * without the cancellation of that difference.
 *
 * @param options.out  memory for the results.
 * @returns value as {@link smoothTopkLoss}, grad of the shape of scores: the gradient of the value, or of each
 *          sample's own loss with reduction 'none'. Single precision where the scores are (rounded from double).
 * @throws as {@link smoothTopkLoss}.
 *
 * Every gradient entry not below 1e-280 has a relative error below 64 k u. Time as for the value.
 *
 * @example
 * ```ts
 * import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
 *
 * const { value, grad } = smoothTopkLossValueAndGrad([2, 1, 0, -1], 1, { k: 2, tau: 0.5 });
 * console.log(value, grad); // 0.7237, 0.0463, -0.3824, 0.2395, 0.0966
 * ```
 */
export function smoothTopkLossValueAndGrad<R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options: SmoothTopkOptions & { readonly reduction?: R; readonly out?: Buffers | undefined } = {},
): ValueAndGrad<R> {
  return smoothTopkLossOn(cpuBackend.sync, scores, labels, options, true) as ValueAndGrad<R>;
}
