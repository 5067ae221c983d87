/**
 * The losses on any backend: `lossesOn(backend)` has the functions of this package, computed there.
 *
 * A backend finds log-ratios and their gradients. Checks, margins, softplus, weights and reductions are those of this
 * package, so arguments, results and errors are the same everywhere.
 */
import type { EspBackend, SyncEspBackend } from "@smooth-topk/esym";
import type { BatchOptions, Buffers, Labels, LossValue, Reduction, Scores, ValueAndGrad } from "./batch.ts";
import { crossEntropyOn } from "./cross-entropy.ts";
import type { AnyBackend } from "./loss-of-ratio.ts";
import { smoothTopkLossOn, type SmoothTopkOptions } from "./smooth-topk-loss.ts";
import { topkAccuracy, type TopkAccuracyOptions } from "./topk-accuracy.ts";
import { topkLossIn, type TopkOptions } from "./topk-loss.ts";

type Reduced<O, R> = O & { readonly reduction?: R };
type Buffered<O, R> = Reduced<O, R> & { readonly out?: Buffers | undefined };
type ValueOf<O> = <R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options?: Reduced<O, R>,
) => LossValue<R>;
type ValueAndGradOf<O> = <R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options?: Buffered<O, R>,
) => ValueAndGrad<R>;
type LaterValueOf<O> = <R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options?: Reduced<O, R>,
) => Promise<LossValue<R>>;
type LaterValueAndGradOf<O> = <R extends Reduction | undefined = undefined>(
  scores: Scores,
  labels: Labels,
  options?: Buffered<O, R>,
) => Promise<ValueAndGrad<R>>;

/** The losses, at once: the functions of this package by their names. */
export interface SyncLosses {
  readonly smoothTopkLoss: ValueOf<SmoothTopkOptions>;
  readonly smoothTopkLossValueAndGrad: ValueAndGradOf<SmoothTopkOptions>;
  readonly topkLoss: ValueOf<TopkOptions>;
  readonly topkLossValueAndGrad: ValueAndGradOf<TopkOptions>;
  readonly crossEntropy: ValueOf<BatchOptions>;
  readonly crossEntropyValueAndGrad: ValueAndGradOf<BatchOptions>;
  readonly topkAccuracy: ValueOf<TopkAccuracyOptions>;
}

/** The losses, as promises: the functions of this package by their names. A bad argument rejects. */
export interface Losses {
  readonly smoothTopkLoss: LaterValueOf<SmoothTopkOptions>;
  readonly smoothTopkLossValueAndGrad: LaterValueAndGradOf<SmoothTopkOptions>;
  readonly topkLoss: LaterValueOf<TopkOptions>;
  readonly topkLossValueAndGrad: LaterValueAndGradOf<TopkOptions>;
  readonly crossEntropy: LaterValueOf<BatchOptions>;
  readonly crossEntropyValueAndGrad: LaterValueAndGradOf<BatchOptions>;
  readonly topkAccuracy: LaterValueOf<TopkAccuracyOptions>;
}

/**
 * The losses of this package on a backend: the same functions with the same arguments, options, errors and results
 * `{ value, grad }`, as promises on an `EspBackend` and at once on a `SyncEspBackend` (`backend.sync` of those that have
 * it). The functions that this package exports are those of `lossesOn(cpuBackend.sync)`.
 *
 * The gradient has the precision of the scores, and single precision on a backend of that; errors are the backend's
 * (docs/accuracy.md, docs/gpu.md). The hard loss and the accuracy need no polynomials: they are computed on the calling
 * thread in double precision. Do not destroy the backend before the promises are settled; it stays the caller's.
 *
 * @example
 * ```ts
 * import { cpuBackend } from "@smooth-topk/esym";
 * import { lossesOn } from "@smooth-topk/loss";
 *
 * const losses = lossesOn(cpuBackend); // or of createWasmBackend(), createGpuBackend()
 * const { value, grad } = await losses.smoothTopkLossValueAndGrad([[2, 1, 0.5, -1]], [1], { k: 2 });
 * console.log(value, grad.get(0, 1)); // 1.1369, -0.3396
 * ```
 */
export function lossesOn(backend: SyncEspBackend): SyncLosses;
export function lossesOn(backend: EspBackend): Losses;
export function lossesOn(backend: AnyBackend): SyncLosses | Losses {
  const { dtype } = backend;
  const losses = {
    smoothTopkLoss: (s: Scores, y: Labels, o = {}) => valueOf(smoothTopkLossOn(backend, s, y, o, false)),
    smoothTopkLossValueAndGrad: (s: Scores, y: Labels, o = {}) => smoothTopkLossOn(backend, s, y, o, true),
    topkLoss: (s: Scores, y: Labels, o = {}) => topkLossIn(dtype, s, y, o, false).value,
    topkLossValueAndGrad: (s: Scores, y: Labels, o = {}) => topkLossIn(dtype, s, y, o, true),
    crossEntropy: (s: Scores, y: Labels, o = {}) => valueOf(crossEntropyOn(backend, s, y, o, false)),
    crossEntropyValueAndGrad: (s: Scores, y: Labels, o = {}) => crossEntropyOn(backend, s, y, o, true),
    topkAccuracy: (s: Scores, y: Labels, o = {}) => topkAccuracy(s, y, o),
  };
  if (backend.synchronous === true) return losses as unknown as SyncLosses;
  // A refusal is a rejection, whatever the function.
  type Loss = (s: Scores, y: Labels, o?: object) => unknown;
  const later = Object.entries(losses).map(([name, f]): [string, Loss] => [name, async (s, y, o) => f(s, y, o)]);
  return Object.fromEntries(later) as { [name in keyof Losses]: never };
}

function valueOf<T>(result: { readonly value: T } | Promise<{ readonly value: T }>): T | Promise<T> {
  return result instanceof Promise ? result.then(({ value }) => value) : result.value;
}
