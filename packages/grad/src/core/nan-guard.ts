/**
 * A switchable guard that stops at the first primitive whose answer holds a NaN that its arguments did not hold.
 */
import { type FloatArray, flat, isNdArray } from "../arrays/layout.ts";

let guarding = false;
/** Where in a backward pass a primitive runs. */
let origin = "";

/**
 * Runs f with the guard on: the first NaN made by a primitive, in f or in the backward pass of a gradient taken in f, is
 * an error that names the primitive, the index, and in a backward pass the rule.
 *
 * @returns what f returns. @throws RangeError as `log: NaN at [2, 0] of its result, of arguments without one${origin}`.
 *
 * Costs one look at each element of every result.
 */
export function withNanGuard<T>(f: () => T): T {
  const before = guarding;
  guarding = true;
  try {
    return f();
  } finally {
    guarding = before;
  }
}

/** Runs a rule, so that the guard can say whose it is. */
export function inRuleOf<T>(primitive: string, argument: string, rule: () => T): T {
  if (!guarding) return rule();
  const before = origin;
  origin = `, in the rule of ${primitive} for ${argument}`;
  try {
    return rule();
  } finally {
    origin = before;
  }
}

/** The row-major position of the first NaN, or -1. */
function positionOfNaN(x: FloatArray): number {
  const data = flat(x);
  for (let i = 0; i < data.length; i++) if (data[i] !== data[i]) return i;
  return -1;
}

function holdsNaN(x: unknown): boolean {
  return typeof x === "number" ? x !== x : isNdArray(x) && positionOfNaN(x as FloatArray) >= 0;
}

/** Throws if the guard is on and the answer holds a NaN of the primitive's own making. */
export function checkForNaN(name: string, answer: FloatArray, args: readonly unknown[]): void {
  if (!guarding) return;
  let position = positionOfNaN(answer);
  if (position < 0 || args.some(holdsNaN)) return;
  const index: number[] = [];
  for (const extent of answer.shape.toReversed()) {
    index.unshift(position % extent);
    position = Math.floor(position / extent);
  }
  throw new RangeError(`${name}: NaN at [${index.join(", ")}] of its result, of arguments without one${origin}`);
}
