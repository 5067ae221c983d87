/** The public API, as its users' compilers see it. */
import type { NdArray } from "ndarray";
import ndarray from "ndarray";
import { expectTypeOf } from "vitest";
import * as esym from "./index.ts";

type Doubles = NdArray<Float64Array>;
const x = ndarray(new Float32Array(6), [2, 3]);

// Every kind of array is taken, readonly ones too; results are in double precision.
expectTypeOf(esym.logEsp(x, 2)).toEqualTypeOf<Doubles>();
expectTypeOf(esym.logEsp([0, 1, 2] as const, 2, { algorithm: "tilted" })).toEqualTypeOf<Doubles>();
expectTypeOf(esym.inclusionProbabilities([[0, 1] as const] as const, 1)).toEqualTypeOf<Doubles>();
expectTypeOf(esym.logEspVjp(new Float64Array(3), 1, [0, 1])).toEqualTypeOf<Doubles>();
expectTypeOf(esym.logEspHvp(x, 1, x)).toEqualTypeOf<Doubles>();
expectTypeOf(esym.logEspRatio(new Float32Array(3), 1)).toEqualTypeOf<esym.RatioAndGrad>();
expectTypeOf<esym.RatioAndGrad["value" | "ratio" | "centre"]>().toEqualTypeOf<Doubles>();
expectTypeOf<esym.RatioAndGrad["grad"]>().toEqualTypeOf<NdArray<Float64Array | Float32Array>>();
expectTypeOf(esym.logEspRatio(x, 1, { leftOut: Int32Array.of(0, -1), gradient: false })).toEqualTypeOf<esym.Ratio>();
expectTypeOf(
  esym.logEspRatio(x, 1, { temperature: [0.3, 0], rowWeight: (_, ratio) => ratio }),
).toEqualTypeOf<esym.RatioAndGrad>();
expectTypeOf(esym.ALGORITHMS).toEqualTypeOf<readonly esym.Algorithm[]>();
expectTypeOf<esym.Algorithm>().toEqualTypeOf<"summation" | "divide-and-conquer" | "tilted" | "enumeration">();

// Shards: partials in, partials out.
expectTypeOf(esym.espPartial([1, 2], 3)).toEqualTypeOf<esym.EspPartial>();
expectTypeOf(esym.emptyPartial).toEqualTypeOf<(k: number) => esym.EspPartial>();
expectTypeOf(esym.mergePartials).toEqualTypeOf<(a: esym.EspPartial, b: esym.EspPartial) => esym.EspPartial>();
expectTypeOf(esym.logEspOfPartial).toEqualTypeOf<(p: esym.EspPartial) => Doubles>();
expectTypeOf(esym.logEspVjpOfShard([1], [0, 1], esym.emptyPartial(1))).toEqualTypeOf<Doubles>();

// Samples: Math.random is a source.
expectTypeOf(esym.subsetSampler(x, 2)).toEqualTypeOf<esym.SubsetSampler>();
expectTypeOf(esym.subsetSampler(x, 2)(Math.random)).toEqualTypeOf<Int32Array>();

// What a backend has to offer.
expectTypeOf(esym.cpuBackend).toExtend<esym.EspBackend>();
expectTypeOf(esym.cpuBackend.sync).toEqualTypeOf<esym.SyncEspBackend>();
expectTypeOf(esym.cpuBackend.logEspRatio(x, 1)).toEqualTypeOf<Promise<esym.RatioAndGrad>>();
expectTypeOf<esym.EspBackend["logEsp"]>().toEqualTypeOf<
  (x: esym.ArrayLike2d, k: number) => Promise<NdArray<Float64Array>>
>();
expectTypeOf<esym.EspBackend["dtype"]>().toEqualTypeOf<esym.Dtype>();

// @ts-expect-error an algorithm that does not exist
esym.logEsp(x, 2, { algorithm: "fft" });
// @ts-expect-error k is required
esym.logEsp(x);
// @ts-expect-error integers of 64 bits are no log-values
esym.inclusionProbabilities(new BigInt64Array(3), 1);
