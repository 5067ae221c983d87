/**
 * The precisions that ports are judged in, and which numbers each holds.
 */
import { UNIT_ROUNDOFF } from "./error-in-u.ts";

/** A port's number format. */
export type Dtype = "float64" | "float32" | "bfloat16";

export const DTYPES: readonly Dtype[] = ["float64", "float32", "bfloat16"];

/** u, the largest relative error of one rounding. */
export const UNIT: Readonly<Record<Dtype, number>> = { ...UNIT_ROUNDOFF, bfloat16: 2 ** -8 };

/** Results smaller than this are not judged relative to themselves, only to be about as small. */
export const FLOOR: Readonly<Record<Dtype, number>> = { float64: 1e-280, float32: 1e-30, bfloat16: 1e-30 };

const word = new DataView(new ArrayBuffer(4));

/** The number of the format nearest to x, ties to even. */
export function roundTo(dtype: Dtype, x: number): number {
  if (dtype === "float64" || !Number.isFinite(x)) return x;
  const single = Math.fround(x);
  if (dtype === "float32" || !Number.isFinite(single)) return single;
  word.setFloat32(0, single);
  const bits = word.getUint32(0);
  word.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  return word.getFloat32(0);
}

/** Whether the format holds all of the numbers exactly. */
export function holds(dtype: Dtype, numbers: Iterable<number>): boolean {
  for (const x of numbers) if (roundTo(dtype, x) !== x) return false;
  return true;
}
