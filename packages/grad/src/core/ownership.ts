/**
 * Who owns an array's memory. A gradient that is handed out must not share memory with anything that the caller holds, and
 * copying every gradient would cost as much as a fast loss: so primitives note the arrays that they make, and only what was
 * not made since the backward pass began is copied.
 */
import type { NdArray } from "ndarray";
import { isNdArray } from "../arrays/layout.ts";

const moments = new WeakMap<NdArray, number>();
let now = 0;

/** Notes that a primitive has made an array of its arguments, unless it lies in the memory of one of them. */
export function noteMade(answer: NdArray, args: readonly unknown[]): void {
  const { buffer } = answer.data as Float64Array;
  if (args.some((x) => isNdArray(x) && (x.data as Float64Array).buffer === buffer)) return;
  moments.set(answer, now++);
}

/** A moment, to compare with that of an array's making. */
export function momentNow(): number {
  return now;
}

/** Whether a primitive has made the array since then, in memory of its own. */
export function wasMadeSince(moment: number, x: NdArray): boolean {
  return (moments.get(x) ?? -1) >= moment;
}
