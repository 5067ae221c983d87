/** The public API, as its users' compilers see it. */
import ndarray, { type NdArray } from "ndarray";
import { expectTypeOf } from "vitest";
import * as g from "./index.ts";

const x = ndarray(new Float32Array(6), [2, 3]);
type X = typeof x;

// Primitives take numbers and tensors.
expectTypeOf(g.add(1, x)).toEqualTypeOf<g.Tensor>();
expectTypeOf(g.logEsp(x, 2)).toEqualTypeOf<g.Tensor>();

// A gradient is like the first argument, other arguments keep their types.
const loss = (params: { w: g.Tensor; b: readonly g.Operand[] }, scale: number): g.Tensor =>
  g.sum(g.mul(params.w, scale));
expectTypeOf(g.grad(loss)({ w: x, b: [1] }, 2)).toEqualTypeOf<{ w: X; b: number[] }>();
expectTypeOf(g.valueAndGrad(loss)({ w: x, b: [1] }, 2).value).toEqualTypeOf<number>();
expectTypeOf(g.grad((t: g.Operand) => g.pow(t, 3))(2)).toEqualTypeOf<number>();
expectTypeOf(g.hvp((t: g.Tensor) => g.sum(t), x, x)).toEqualTypeOf<X>();

// Parameters may be interfaces.
interface Network {
  readonly w: g.Tensor;
  readonly layers: readonly { readonly b: g.Tensor }[];
}
const network = { w: x, layers: [{ b: x }] };
const ofNetwork = g.valueAndGrad((p: Network) => g.sum(p.w))(network);
expectTypeOf(ofNetwork.value).toEqualTypeOf<number>();
expectTypeOf(ofNetwork.grad).toEqualTypeOf<typeof network>();

// Inside another gradient it is a tensor, and so is the value.
const outer = (t: g.Tensor): g.Tensor => {
  const { value, grad } = g.valueAndGrad((s: g.Tensor) => g.sum(s))(t);
  expectTypeOf(value).toEqualTypeOf<g.Tensor>();
  return g.sum(g.mul(grad, value));
};
expectTypeOf(g.grad(outer)(x)).toEqualTypeOf<X>();

// A vjp gives a cotangent for each primal.
const { value, vjp } = g.vjp((a: g.Tensor, b: g.Operand) => g.mul(a, b), x, 2);
expectTypeOf(value).toEqualTypeOf<g.Tensor>();
expectTypeOf(vjp(1)).toEqualTypeOf<[X, number]>();

// Custom primitives see arrays and numbers in their forward pass.
g.defineVjp<[g.Operand, string]>({
  name: "custom",
  forward: (a, label) => {
    expectTypeOf(a).toEqualTypeOf<g.FloatArray | number>();
    expectTypeOf(label).toEqualTypeOf<string>();
    return x;
  },
  vjps: { a: (cotangent) => cotangent },
});

// Optimisers give back parameters of the type they were given.
const params = { w: x, layers: [x] };
const optimiser = g.sgd({ learningRate: 0.1, momentum: 0.9 });
expectTypeOf(optimiser.update(params, params, optimiser.init(params)).params).toEqualTypeOf<typeof params>();
expectTypeOf(g.heNormal([2, 3], 2, Math.random)).toExtend<NdArray>();

// @ts-expect-error a gradient's function returns a tensor or a number
g.grad((t: g.Tensor) => t.shape.join());
// @ts-expect-error an axis is a number
g.sum(x, "rows");
