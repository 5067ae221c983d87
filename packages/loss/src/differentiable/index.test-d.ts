/** The differentiable API, as its users' compilers see it. */
import { grad, type Tensor, valueAndGrad } from "@smooth-topk/grad";
import ndarray from "ndarray";
import { expectTypeOf } from "vitest";
import type { BatchOptions, Labels, SmoothTopkOptions, TopkOptions } from "../index.ts";
import * as loss from "./index.ts";

// Tensors in, tensors out, with the options of the fused functions.
type LossOf<O> = (scores: Tensor, labels: Labels, options?: O) => Tensor;
expectTypeOf(loss.smoothTopkLoss).toEqualTypeOf<LossOf<SmoothTopkOptions>>();
expectTypeOf(loss.topkLoss).toEqualTypeOf<LossOf<TopkOptions>>();
expectTypeOf(loss.crossEntropy).toEqualTypeOf<LossOf<BatchOptions>>();

// An array is a tensor, and gradients are like it.
const scores = ndarray(new Float64Array(6), [2, 3]);
const f = (x: Tensor): Tensor => loss.smoothTopkLoss(x, [0, 1], { k: 2 });
expectTypeOf(grad(f)(scores)).toEqualTypeOf(scores);
expectTypeOf(valueAndGrad(f)(scores).value).toEqualTypeOf<number>();

// @ts-expect-error gradients are not written to the caller's memory
loss.smoothTopkLoss(scores, [0, 1], { k: 2, out: {} });
// @ts-expect-error nested arrays are no tensors
loss.smoothTopkLoss([[0, 1, 2]], [0], { k: 2 });
// @ts-expect-error the hard loss has no temperature
loss.topkLoss(scores, [0, 1], { k: 2, tau: 1 });
