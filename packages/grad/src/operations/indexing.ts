/**
 * Parts of arrays: slices and their joins, elements picked by index. Picking is linear, its adjoint puts cotangents
 * back where the elements came from, on zeros, and adds where one was picked twice.
 */
import type { NdArray } from "ndarray";
import { checkIndices, normaliseAxis } from "../arrays/axes.ts";
import {
  allocate,
  asArray,
  commonDtype,
  dtypeOf,
  flat,
  type FloatArray,
  rowMajor,
  show,
  sizeOf,
  view,
  walk,
  wrap,
} from "../arrays/layout.ts";
import { reshape } from "./shapes.ts";
import { defineVjp, type Operand, shapeOf, type Tensor } from "../core/tape.ts";

/**
 * The box starts[d] <= i_d < stops[d]; negative numbers count from the end, missing ones take everything.
 *
 * @throws RangeError if the box does not lie in x.
 */
export function slice(x: Operand, starts: readonly number[], stops: readonly number[] = []): Tensor {
  const shape = shapeOf(x);
  const from = shape.map((extent, d) => fromEnd(starts[d] ?? 0, extent));
  const to = shape.map((extent, d) => fromEnd(stops[d] ?? extent, extent));
  const fits = shape.every((extent, d) => 0 <= from[d] && from[d] <= to[d] && to[d] <= extent);
  if (!fits || starts.length > shape.length || stops.length > shape.length) {
    throw new RangeError(`slice: ${show(starts)} to ${show(stops)} is not a part of x of shape ${show(shape)}`);
  }
  return box(
    x,
    from,
    from.map((start, d) => to[d] - start),
  );
}

function fromEnd(index: number, extent: number): number {
  return index < 0 ? index + extent : index;
}

type Numbers = readonly number[];

const box: (x: Operand, from: Numbers, extents: Numbers) => Tensor = defineVjp<[Operand, Numbers, Numbers]>({
  name: "slice",
  forward: (x, from, extents) => {
    const array = asArray(x);
    return view(
      array,
      extents,
      array.stride,
      from.reduce((at, start, d) => at + start * array.stride[d], array.offset),
    );
  },
  vjps: { x: (g, _answer, x, from) => pad(g, from, shapeOf(x)) },
});

/** x at an offset in zeros of the given shape: the adjoint of a slice. */
const pad: (x: Operand, from: Numbers, shape: Numbers) => Tensor = defineVjp<[Operand, Numbers, Numbers]>({
  name: "pad",
  forward: (x, from, shape) => {
    const array = asArray(x);
    const out = allocate(dtypeOf(array), sizeOf(shape));
    place(array, out, from, shape);
    return wrap(out, shape);
  },
  vjps: { x: (g, _answer, x, from) => box(g, from, shapeOf(x)) },
});

function place(
  { data, shape, stride, offset }: FloatArray,
  out: FloatArray["data"],
  from: Numbers,
  into: Numbers,
): void {
  const steps = rowMajor(into);
  const start = from.reduce((at, index, d) => at + index * steps[d], 0);
  walk(
    shape,
    [
      { stride, offset },
      { stride: steps, offset: start },
    ],
    (at, n, [step, outStep]) => {
      for (let i = 0, a = at[0], o = at[1]; i < n; i++, a += step, o += outStep) out[o] = data[a];
    },
  );
}

/**
 * Joins arrays along an axis; their other extents are the same.
 *
 * @throws RangeError naming the first array that does not fit.
 */
export function concatenate(xs: readonly Operand[], axis: number): Tensor {
  if (xs.length === 0) throw new RangeError("concatenate: xs is empty, expected at least one array");
  const first = shapeOf(xs[0]);
  const along = normaliseAxis("concatenate", axis, first);
  const starts: number[][] = [];
  let length = 0;
  for (const [i, x] of xs.entries()) {
    const shape = shapeOf(x);
    if (shape.length !== first.length || shape.some((extent, d) => d !== along && extent !== first[d])) {
      throw new RangeError(
        `concatenate: xs[${i}] has shape ${show(shape)}, which differs from xs[0] of shape ${show(first)} beyond axis ${along}`,
      );
    }
    starts.push(first.map((_, d) => (d === along ? length : 0)));
    length += shape[along];
  }
  const to = first.map((extent, d) => (d === along ? length : extent));
  return defineVjp<Operand[]>({
    name: "concatenate",
    forward: (...parts) => {
      const out = allocate(commonDtype(parts), sizeOf(to));
      for (const [i, part] of parts.entries()) place(asArray(part), out, starts[i], to);
      return wrap(out, to);
    },
    vjps: Object.fromEntries(
      starts.map((start, i) => [
        `xs[${i}]`,
        (g: Tensor, _answer: Tensor, ...parts: Operand[]) => box(g, start, shapeOf(parts[i])),
      ]),
    ),
  })(...xs);
}

/** Indices along an axis: a list, or an ndarray of integers of any shape. */
export type Indices = readonly number[] | Int32Array | NdArray;

function indexList(indices: Indices): { list: ArrayLike<number>; shape: readonly number[] } {
  if (!("shape" in indices)) return { list: indices, shape: [indices.length] };
  const list: number[] = [];
  const data = indices.data as ArrayLike<number>;
  walk(indices.shape, [indices], (at, n, [step]) => {
    for (let i = 0; i < n; i++) list.push(Number(data[at[0] + i * step]));
  });
  return { list, shape: [...indices.shape] };
}

/**
 * Elements of x at indices along an axis; the shape of the indices takes the place of the axis.
 *
 * @throws RangeError naming the index, if it is not an integer in [0, extent).
 */
export function gather(x: Operand, indices: Indices, axis: number): Tensor {
  const shape = shapeOf(x);
  const along = normaliseAxis("gather", axis, shape);
  const { list, shape: listShape } = indexList(indices);
  checkIndices("gather", list, shape[along]);
  const picked = pick(x, list, along);
  return reshape(picked, [...shape.slice(0, along), ...listShape, ...shape.slice(along + 1)]);
}

type Picks = [x: Operand, list: ArrayLike<number>, axis: number];

/** Slabs of x along an axis, in the order of the list. */
export const pick: (...picks: Picks) => Tensor = defineVjp<Picks>({
  name: "gather",
  forward: (x, list, axis) => {
    const array = asArray(x);
    const data = flat(array);
    const { outer, extent, inner } = around(array.shape, axis);
    const out = allocate(dtypeOf(array), outer * list.length * inner);
    for (let b = 0, o = 0; b < outer; b++) {
      for (let i = 0; i < list.length; i++, o += inner) {
        const from = (b * extent + list[i]) * inner;
        for (let e = 0; e < inner; e++) out[o + e] = data[from + e];
      }
    }
    return wrap(out, array.shape.with(axis, list.length));
  },
  vjps: { x: (g, _answer, x, list, axis) => scatter(g, list, axis, shapeOf(x)[axis]) },
});

/** Slabs added to zeros at the places that the list names: the adjoint of pick. */
const scatter: (...picks: [...Picks, extent: number]) => Tensor = defineVjp<[...Picks, extent: number]>({
  name: "scatter",
  forward: (x, list, axis, extent) => {
    const array = asArray(x);
    const data = flat(array);
    const { outer, inner } = around(array.shape, axis);
    const out = allocate(dtypeOf(array), outer * extent * inner);
    for (let b = 0, from = 0; b < outer; b++) {
      for (let i = 0; i < list.length; i++, from += inner) {
        const o = (b * extent + list[i]) * inner;
        for (let e = 0; e < inner; e++) out[o + e] += data[from + e];
      }
    }
    return wrap(out, array.shape.with(axis, extent));
  },
  vjps: { x: (g, _answer, _x, list, axis) => pick(g, list, axis) },
});

function around(shape: Numbers, axis: number): { outer: number; extent: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), extent: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
}

/**
 * out[.., i, ..] = x[.., indices[.., i, ..], ..]: indices has the shape of x but for its extent along the axis.
 *
 * @throws RangeError naming both shapes, or the index that is not an integer in [0, extent).
 */
export function takeAlongAxis(x: Operand, indices: NdArray, axis: number): Tensor {
  const shape = shapeOf(x);
  const along = normaliseAxis("takeAlongAxis", axis, shape);
  const { list, shape: listShape } = indexList(indices);
  if (listShape.length !== shape.length || shape.some((extent, d) => d !== along && extent !== listShape[d])) {
    throw new RangeError(
      `takeAlongAxis: indices has shape ${show(listShape)}, expected that of x, ${show(shape)}, but for axis ${along}`,
    );
  }
  checkIndices("takeAlongAxis", list, shape[along]);
  const { outer, inner, extent } = around(shape, along);
  const count = listShape[along];
  const flatIndices = Int32Array.from({ length: list.length }, (_, at) => {
    const b = Math.floor(at / (count * inner));
    return (b * extent + list[at]) * inner + (at % inner);
  });
  return reshape(pick(reshape(x, [outer * extent * inner]), flatIndices, 0), listShape);
}
