/** The public API, as its users' compilers see it. */
import type { NdArray } from "ndarray";
import ndarray from "ndarray";
import { expectTypeOf } from "vitest";
import * as loss from "./index.ts";

const scores = ndarray(new Float32Array(6), [2, 3]);
const labels = Int32Array.of(0, 2);

// A number, unless every sample's loss is asked for.
expectTypeOf(loss.smoothTopkLoss(scores, labels)).toEqualTypeOf<number>();
expectTypeOf(loss.smoothTopkLoss(scores, labels, { k: 2, tau: 0.5, alpha: 0 })).toEqualTypeOf<number>();
expectTypeOf(loss.smoothTopkLoss(scores, labels, { reduction: "sum" })).toEqualTypeOf<number>();
expectTypeOf(loss.smoothTopkLoss(scores, labels, { reduction: "none" })).toEqualTypeOf<Float64Array>();
expectTypeOf(loss.topkLoss(scores, labels, { reduction: "none" })).toEqualTypeOf<Float64Array>();
expectTypeOf(loss.crossEntropy(scores, labels, { reduction: "none" })).toEqualTypeOf<Float64Array>();
expectTypeOf(loss.topkAccuracy(scores, labels, { k: 1 })).toEqualTypeOf<number>();
expectTypeOf<loss.LossValue<"none">>().toEqualTypeOf<Float64Array>();
expectTypeOf<loss.LossValue<"mean" | undefined>>().toEqualTypeOf<number>();

// The gradient is an ndarray whatever the scores came in.
const fused = loss.smoothTopkLossValueAndGrad([[0, 1, 2] as const] as const, [1] as const, { k: 2 });
expectTypeOf(fused).toEqualTypeOf<loss.ValueAndGrad<undefined>>();
expectTypeOf(fused.value).toEqualTypeOf<number>();
expectTypeOf(fused.grad).toEqualTypeOf<NdArray<Float64Array | Float32Array>>();
const each = loss.topkLossValueAndGrad([0, 1, 2], 1, { k: 2, reduction: "none", out: { grad: new Float64Array(3) } });
expectTypeOf(each.value).toEqualTypeOf<Float64Array>();
expectTypeOf(loss.crossEntropyValueAndGrad(new Float64Array(3), 0).grad).toEqualTypeOf(fused.grad);

// Options may be left undefined; labels and weights come as arrays of every kind.
expectTypeOf(loss.crossEntropy).toBeCallableWith(scores, BigInt64Array.of(0n, 1n), { ignoreIndex: undefined });
expectTypeOf(loss.crossEntropy).toBeCallableWith(scores, ndarray(labels), { weights: Float32Array.of(1, 2) });

// @ts-expect-error a reduction that does not exist
loss.smoothTopkLoss(scores, labels, { reduction: "median" });
// @ts-expect-error the cross-entropy has no k
loss.crossEntropy(scores, labels, { k: 2 });
// @ts-expect-error the hard loss has no temperature
loss.topkLoss(scores, labels, { tau: 1 });
// @ts-expect-error the accuracy has no gradient to write
loss.topkAccuracy(scores, labels, { out: {} });
// @ts-expect-error labels are required
loss.smoothTopkLoss(scores);
// @ts-expect-error losses are written in double precision
loss.smoothTopkLossValueAndGrad(scores, labels, { out: { loss: new Float32Array(2) } });
