/**
 * Makes a failing case smaller while it still fails: the first simpler case that fails too takes its place, until none does.
 */
import { type Area, judged } from "./area.ts";

/** @param deadline  no case is tried after it, in milliseconds as of Date.now. */
export async function shrink<Case>(area: Area<Case>, failing: Case, deadline: number): Promise<Case> {
  let smallest = failing;
  search: for (;;) {
    for (const candidate of area.simpler(smallest)) {
      if (Date.now() > deadline) return smallest;
      if ((await judged(area, candidate)).used > 1) {
        smallest = candidate;
        continue search;
      }
    }
    return smallest;
  }
}

/** The list without a half, a quarter, ... a single element at each place. */
export function* withoutParts<T>(values: readonly T[]): Generator<T[]> {
  for (let size = values.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from + size <= values.length; from += size) yield values.toSpliced(from, size);
  }
}

/** Numbers that are easier to read, nearest to nothing first. */
export function simplerNumbers(x: number): number[] {
  if (!Number.isFinite(x)) return [];
  const candidates = [0, 1, Math.trunc(x), Number(x.toPrecision(2)), Number(x.toPrecision(6))];
  return candidates.filter((candidate) => String(candidate).length < String(x).length);
}
