/**
 * Axes and indices as callers give them: negative ones count from the end, and wrong ones are refused.
 */
import { show } from "./layout.ts";

/** Which dimensions an operation acts on: one, several, or (undefined) all. */
export type Axes = number | readonly number[] | undefined;

/** @throws RangeError unless it is an integer in [-dimensions, dimensions). */
export function normaliseAxis(caller: string, axis: number, shape: readonly number[]): number {
  if (!Number.isInteger(axis) || axis < -shape.length || axis >= shape.length) {
    throw new RangeError(
      `${caller}: axis is ${axis}, expected one of the ${shape.length} axes of shape ${show(shape)}`,
    );
  }
  return axis < 0 ? axis + shape.length : axis;
}

/** The shape with the axes as extents of 1, and without them. */
export function reducedShapes(
  caller: string,
  axes: Axes,
  shape: readonly number[],
): { kept: number[]; dropped: number[] } {
  const list = axes === undefined ? shape.map((_, d) => d) : typeof axes === "number" ? [axes] : axes;
  const reduced = new Set(list.map((axis) => normaliseAxis(caller, axis, shape)));
  return {
    kept: shape.map((extent, d) => (reduced.has(d) ? 1 : extent)),
    dropped: shape.filter((_, d) => !reduced.has(d)),
  };
}

/** @throws RangeError unless every index is an integer in [0, extent). */
export function checkIndices(caller: string, indices: ArrayLike<number>, extent: number): void {
  for (let i = 0; i < indices.length; i++) {
    if (!Number.isInteger(indices[i]) || indices[i] < 0 || indices[i] >= extent) {
      throw new RangeError(`${caller}: indices[${i}] is ${indices[i]}, expected an integer in [0, ${extent - 1}]`);
    }
  }
}
