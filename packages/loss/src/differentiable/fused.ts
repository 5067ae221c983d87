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
import { crossEntropy } from "./cross-entropy.ts";
import { fromKernel } from "./from-kernel.ts";
import { smoothTopkLoss } from "./smooth-topk-loss.ts";
import { topkLoss } from "./topk-loss.ts";

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
 * {@link smoothTopkLoss}, the value and the first derivative by `smoothTopkLossValueAndGrad` of `@smooth-topk/loss`.
 *
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 */
export function fusedSmoothTopkLoss(scores: Tensor, labels: Labels, options: SmoothTopkOptions = {}): Tensor {
  const forms = { value: smoothTopkLossValue, both: smoothTopkLossValueAndGrad, composed: smoothTopkLoss };
  return fused<SmoothTopkOptions>("smoothTopkLoss", forms, scores, labels, options);
}

/**
 * {@link topkLoss}, the value and the subgradient by `topkLossValueAndGrad` of `@smooth-topk/loss`.
 *
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 */
export function fusedTopkLoss(scores: Tensor, labels: Labels, options: TopkOptions = {}): Tensor {
  const forms = { value: topkLossValue, both: topkLossValueAndGrad, composed: topkLoss };
  return fused<TopkOptions>("topkLoss", forms, scores, labels, options);
}

/**
 * {@link crossEntropy}, the value and the first derivative by `crossEntropyValueAndGrad` of `@smooth-topk/loss`.
 *
 * @returns shape [], or [batch] with reduction 'none', in the precision of the scores.
 * @throws as there.
 */
export function fusedCrossEntropy(scores: Tensor, labels: Labels, options: BatchOptions = {}): Tensor {
  const forms = { value: crossEntropyValue, both: crossEntropyValueAndGrad, composed: crossEntropy };
  return fused<BatchOptions>("crossEntropy", forms, scores, labels, options);
}
