/**
 * Broadcasting and its adjoint. broadcastTo repeats elements along dimensions, sumTo adds up what was repeated: each
 * is linear, and <g, broadcastTo(x)> = <sumTo(g), x>, so each is the other's vector-Jacobian product.
 */
import {
  asArray,
  broadcastShape,
  dtypeOf,
  type FloatArray,
  inPrecision,
  show,
  sizeOf,
  stretched,
  view,
  walk,
  wrap,
} from "./layout.ts";
import { defineVjp, type Operand, shapeOf, type Tensor } from "../core/tape.ts";

/**
 * x repeated to a larger shape: extents are aligned at the end, and extents of 1 and missing ones stretch.
 *
 * @throws RangeError if x does not broadcast to the shape.
 */
export const broadcastTo: (x: Operand, shape: readonly number[]) => Tensor = defineVjp<[Operand, readonly number[]]>({
  name: "broadcastTo",
  forward: (x, shape) => {
    const array = asArray(x);
    const common = broadcastShape([array.shape, shape]);
    if (common === null || common.length !== shape.length || common.some((extent, d) => extent !== shape[d])) {
      throw new RangeError(`broadcastTo: x has shape ${show(array.shape)}, which does not broadcast to ${show(shape)}`);
    }
    const { stride, offset } = stretched(array, shape);
    return view(array, shape, stride, offset);
  },
  vjps: { x: (g, _answer, x) => sumTo(g, shapeOf(x)) },
});

const sumToSmaller = defineVjp<[Operand, readonly number[]]>({
  name: "sumTo",
  forward: (x, shape) => sumOver(asArray(x), shape),
  vjps: { x: (g, _answer, x) => broadcastTo(g, shapeOf(x)) },
});

/** x summed over the dimensions along which the given shape would have to be repeated to become that of x. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const from = shapeOf(x);
  if (from.length === shape.length && from.every((extent, d) => extent === shape[d])) return x;
  return sumToSmaller(x, shape);
}

/** Sums in doubles, rounded once to the precision of x. */
function sumOver(x: FloatArray, shape: readonly number[]): FloatArray {
  const sums = new Float64Array(sizeOf(shape));
  const { data } = x;
  walk(x.shape, [x, stretched(wrap(sums, shape), x.shape)], (at, n, [step, outStep]) => {
    let a = at[0];
    let o = at[1];
    if (outStep === 0) {
      let sum = 0;
      for (let i = 0; i < n; i++, a += step) sum += data[a];
      sums[o] += sum;
    } else {
      for (let i = 0; i < n; i++, a += step, o += outStep) sums[o] += data[a];
    }
  });
  return wrap(inPrecision(sums, dtypeOf(x)), shape);
}
