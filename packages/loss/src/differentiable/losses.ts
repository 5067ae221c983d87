/**
 * The losses for training: value and gradient from the fused kernels in one pass, so that a tape adds next to nothing.
 * Derivatives beyond the first are those of the composed forms.
 */
import type { Tensor } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";
import type { BatchOptions, Labels } from "../batch.ts";
import { crossEntropy as crossEntropyValue, crossEntropyValueAndGrad } from "../cross-entropy.ts";
import {
  smoothTopkLoss as smoothTopkLossValue,
  type SmoothTopkOptions,
  smoothTopkLossValueAndGrad,
} from "../smooth-topk-loss.ts";
import { topkLoss as topkLossValue, type TopkOptions, topkLossValueAndGrad } from "../topk-loss.ts";
import { composedCrossEntropy } from "./composed/cross-entropy.ts";
import { fromKernel } from "./from-kernel.ts";
import { composedSmoothTopkLoss } from "./composed/smooth-topk-loss.ts";
import { composedTopkLoss } from "./composed/topk-loss.ts";

type Value = number | Float64Array;

interface Forms<O> {
  readonly value: (scores: NdArray, labels: Labels, options: O) => Value;
  readonly both: (scores: NdArray, labels: Labels, options: O) => { readonly value: Value; readonly grad: NdArray };
  readonly composed: (scores: Tensor, labels: Labels, options: O) => Tensor;
}

function fused<O>(
  name: string,
  { value, both, composed }: Forms<O>,
  scores: Tensor,
  labels: Labels,
  options: O,
): Tensor {
  const kernel = (s: NdArray, wantSlopes: boolean) => {
    if (!wantSlopes) return { value: asTensor(value(s, labels, options), s), slopes: null };
    const found = both(s, labels, options);
    return { value: asTensor(found.value, s), slopes: found.grad };
  };
  return fromKernel(name, kernel, (s) => composed(s, labels, options))(scores);
}

/** A value in the precision of the scores. */
function asTensor(value: Value, { data }: NdArray): NdArray {
  const values = typeof value === "number" ? Float64Array.of(value) : value;
  const shape = typeof value === "number" ? [] : [value.length];
  return ndarray(data instanceof Float32Array ? Float32Array.from(values) : values, shape);
}

/**
 * The smooth top-k loss for training with `@smooth-topk/grad`: value and gradient in one pass, as accurate as those of
 * `smoothTopkLossValueAndGrad` of `@smooth-topk/loss`, and derivatives of any order beyond.
 *
 * @param scores   [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels   [batch] class indices, or a number for one sample.
 * @param options  those of `smoothTopkLoss` of `@smooth-topk/loss`.
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 *
 * @example
 * ```ts
 * import { grad, type Tensor } from "@smooth-topk/grad";
 * import { smoothTopkLoss } from "@smooth-topk/loss/differentiable";
 * import ndarray from "ndarray";
 *
 * const scores = ndarray(Float64Array.of(2, 1, 0.5, -1), [1, 4]);
 * const loss = (s: Tensor) => smoothTopkLoss(s, [1], { k: 2 });
 * console.log(grad(loss)(scores).get(0, 1)); // -0.3396
 * ```
 */
export function smoothTopkLoss(scores: Tensor, labels: Labels, options: SmoothTopkOptions = {}): Tensor {
  const forms = { value: smoothTopkLossValue, both: smoothTopkLossValueAndGrad, composed: composedSmoothTopkLoss };
  return fused<SmoothTopkOptions>("smoothTopkLoss", forms, scores, labels, options);
}

/**
 * The hard top-k loss for training with `@smooth-topk/grad`: value and subgradient in one pass, those of
 * `topkLossValueAndGrad` of `@smooth-topk/loss`; derivatives beyond are 0.
 *
 * @param scores   [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels   [batch] class indices, or a number for one sample.
 * @param options  those of `topkLoss` of `@smooth-topk/loss`.
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 *
 * @example
 * ```ts
 * import { grad, type Tensor } from "@smooth-topk/grad";
 * import { topkLoss } from "@smooth-topk/loss/differentiable";
 * import ndarray from "ndarray";
 *
 * const scores = ndarray(Float64Array.of(2, 1, 0.5, -1), [1, 4]);
 * const loss = (s: Tensor) => topkLoss(s, [1], { k: 2 });
 * console.log(grad(loss)(scores).get(0, 1)); // -0.5000
 * ```
 */
export function topkLoss(scores: Tensor, labels: Labels, options: TopkOptions = {}): Tensor {
  const forms = { value: topkLossValue, both: topkLossValueAndGrad, composed: composedTopkLoss };
  return fused<TopkOptions>("topkLoss", forms, scores, labels, options);
}

/**
 * The cross-entropy for training with `@smooth-topk/grad`: value and gradient in one pass, those of
 * `crossEntropyValueAndGrad` of `@smooth-topk/loss`, and derivatives of any order beyond.
 *
 * @param scores   [batch, n], or [n] for one sample; -Infinity masks a class.
 * @param labels   [batch] class indices, or a number for one sample.
 * @param options  those of `crossEntropy` of `@smooth-topk/loss`.
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 *
 * @example
 * ```ts
 * import { grad, type Tensor } from "@smooth-topk/grad";
 * import { crossEntropy } from "@smooth-topk/loss/differentiable";
 * import ndarray from "ndarray";
 *
 * const scores = ndarray(Float64Array.of(2, 1, 0.5, -1), [1, 4]);
 * const loss = (s: Tensor) => crossEntropy(s, [1]);
 * console.log(grad(loss)(scores).get(0, 1)); // -0.7758
 * ```
 */
export function crossEntropy(scores: Tensor, labels: Labels, options: BatchOptions = {}): Tensor {
  const forms = { value: crossEntropyValue, both: crossEntropyValueAndGrad, composed: composedCrossEntropy };
  return fused<BatchOptions>("crossEntropy", forms, scores, labels, options);
}
