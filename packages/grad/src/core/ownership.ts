/**
 * Who owns an array's memory. No result shares memory with an argument: a caller may write to what it was given. Copying
 * every result would cost as much as a fast loss, so primitives note the arrays that they make, and of values and gradients
 * only what was not made since the vjp or its backward pass began is copied.
 */
import type { NdArray } from "ndarray";
import { isNdArray } from "../arrays/layout.ts";

const moments = new WeakMap<NdArray, number>();
let now = 0;

/** Whether an array lies in the memory of one of the arguments. */
export function sharesMemory(answer: NdArray, args: readonly unknown[]): boolean {
  const { buffer } = answer.data as Float64Array;
  return args.some((x) => isNdArray(x) && (x.data as Float64Array).buffer === buffer);
}

/** Notes that a primitive has made an array in memory of its own. */
export function noteMade(answer: NdArray): void {
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
