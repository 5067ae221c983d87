/**
 * The same elements in another arrangement. All are linear and only move elements, so each rule moves them back.
 */
import { normaliseAxis } from "../arrays/axes.ts";
import { asArray, flat, show, sizeOf, view, wrap } from "../arrays/layout.ts";
import { defineVjp, type Operand, shapeOf, type Tensor } from "../core/tape.ts";

const reshapeElements = defineVjp<[Operand, readonly number[]]>({
  name: "reshape",
  forward: (x, shape) => wrap(flat(asArray(x)), shape),
  vjps: { x: (g, _answer, x) => reshape(g, shapeOf(x)) },
});

/**
 * The elements of x, in row-major order, in another shape. One extent may be -1: it is what is left over.
 *
 * @throws RangeError if the sizes differ.
 */
export function reshape(x: Operand, shape: readonly number[]): Tensor {
  const from = shapeOf(x);
  const known = sizeOf(shape.filter((extent) => extent !== -1));
  const to = shape.map((extent) => (extent === -1 ? sizeOf(from) / known : extent));
  if (sizeOf(to) !== sizeOf(from) || !to.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw new RangeError(
      `reshape: x has shape ${show(from)}, which does not have the elements of shape ${show(shape)}`,
    );
  }
  return reshapeElements(x, to);
}

const permute: (x: Operand, axes: readonly number[]) => Tensor = defineVjp<[Operand, readonly number[]]>({
  name: "transpose",
  forward: (x, axes) => {
    const array = asArray(x);
    const { shape, stride, offset } = array;
    return view(
      array,
      axes.map((d) => shape[d]),
      axes.map((d) => stride[d]),
      offset,
    );
  },
  // the inverse permutation
  vjps: {
    x: (g, _answer, _x, axes) =>
      permute(
        g,
        axes.map((_, d) => axes.indexOf(d)),
      ),
  },
});

/**
 * Axis d of the result is axis axes[d] of x; by default the axes are reversed.
 *
 * @throws RangeError if axes is not a permutation of the axes of x.
 */
export function transpose(x: Operand, axes?: readonly number[]): Tensor {
  const shape = shapeOf(x);
  const to = axes?.map((axis) => normaliseAxis("transpose", axis, shape)) ?? shape.map((_, d) => shape.length - 1 - d);
  if (to.length !== shape.length || new Set(to).size !== to.length) {
    throw new RangeError(
      `transpose: axes is ${show(axes ?? [])}, expected a permutation of the axes of x, shape ${show(shape)}`,
    );
  }
  return permute(x, to);
}
