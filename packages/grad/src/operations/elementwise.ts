/**
 * How functions of one or two numbers act on arrays: row by row, with broadcasting.
 *
 * A row kernel is a loop written out for its one operation, because a loop that calls its operation through a variable
 * costs a call for each element.
 */
import {
  allocate,
  asArray,
  broadcastShape,
  commonDtype,
  dtypeOf,
  type FloatArray,
  type Floats,
  show,
  sizeOf,
  stretched,
  walk,
  wrap,
} from "../arrays/layout.ts";

/** out[o + i] = f(x[a + i s]), i < n. */
export type UnaryRow = (out: Floats, o: number, x: Floats, a: number, s: number, n: number) => void;

/** out[o + i] = f(x[a + i s], y[b + i t]), i < n. */
export type BinaryRow = (
  out: Floats,
  o: number,
  x: Floats,
  a: number,
  s: number,
  y: Floats,
  b: number,
  t: number,
  n: number,
) => void;

/** f of every element. */
export function map(x: FloatArray | number, row: UnaryRow): FloatArray {
  const array = asArray(x);
  const out = allocate(dtypeOf(array), sizeOf(array.shape));
  const { data } = array;
  walk(array.shape, [array], (at, n, step, from) => row(out, from, data, at[0], step[0], n));
  return wrap(out, array.shape);
}

/**
 * f of every pair of elements, both broadcast to their common shape.
 *
 * @throws RangeError naming the operation and both shapes if they have none.
 */
export function zip(name: string, x: FloatArray | number, y: FloatArray | number, row: BinaryRow): FloatArray {
  const dtype = commonDtype([x, y]);
  const a = asArray(x);
  const b = asArray(y);
  const shape = broadcastShape([a.shape, b.shape]);
  if (shape === null) {
    throw new RangeError(
      `${name}: y has shape ${show(b.shape)}, which does not broadcast with x of shape ${show(a.shape)}`,
    );
  }
  const out = allocate(dtype, sizeOf(shape));
  walk(shape, [stretched(a, shape), stretched(b, shape)], (at, n, step, from) =>
    row(out, from, a.data, at[0], step[0], b.data, at[1], step[1], n),
  );
  return wrap(out, shape);
}
