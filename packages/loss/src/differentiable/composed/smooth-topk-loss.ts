/**
 * The smooth top-k loss as a differentiable function, to any order.
 */
import { add, logistic, mul, softplus, type Tensor } from "@smooth-topk/grad";
import type { Labels } from "../../batch.ts";
import { checkSmoothTopk, type SmoothTopkOptions } from "../../smooth-topk-loss.ts";
import { logOdds } from "./log-odds.ts";
import { samplesOf, valueOf } from "./samples.ts";

/** L = tau softplus(z) of each row, [m, n] -> [m]. */
export function smoothTopkLosses(rows: Tensor, labels: Int32Array, k: number, tau: number, alpha: number): Tensor {
  const { z, rest } = logOdds(rows, labels, k, tau, alpha);
  // softplus(z + rest), rest being below a rounding of z
  return mul(tau, add(softplus(z), mul(rest, logistic(z))));
}

/**
 * The smooth top-k loss of `@smooth-topk/loss`, composed of differentiable primitives: for gradients to any order, and
 * to be read.
 *
 * @param scores   [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels   [batch] class indices, or a number for one sample.
 * @param options  as there.
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 *
 * Error of a sample's loss 13 u, and within (8 + |z|) u, as there; of every gradient entry not below 1e-280 (16 k + 16) u;
 * of the Hessian times v 256 k u (max v - min v) / (k^2 tau), and what the rounding of s / (k tau) moves.
 */
export function composedSmoothTopkLoss(scores: Tensor, labels: Labels, options: SmoothTopkOptions = {}): Tensor {
  const { batch, k, tau, alpha } = checkSmoothTopk("smoothTopkLoss", valueOf(scores), labels, options);
  const samples = samplesOf(scores, batch, options.reduction);
  return samples.reduce(smoothTopkLosses(samples.rows, samples.labels, k, tau, alpha));
}
