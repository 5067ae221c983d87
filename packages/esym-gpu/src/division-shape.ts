/**
 * How the classes of a row are cut into runs, and the runs folded, for small orders.
 */

/**
 * Orders up to here are computed by division, larger ones by the tree. Every thread of a coefficient redoes the products of
 * its run, k times the work: measured on WebAssembly, n = 1000, the tree is as fast from k = 24 to 40 on. docs/gpu.md.
 */
export const HIGHEST_DIVIDED = 24;

const SHORTEST_RUN = 32;
const LONGEST_RUN = 64;
const RADIX = 32;

export interface DivisionShape {
  readonly rows: number;
  readonly k: number;
  /** Classes of a row, padded to whole runs and whole vectors. */
  readonly width: number;
  readonly run: number;
  /** Number of polynomials from the runs, in front, to the row. */
  readonly folds: readonly number[];
  readonly radix: number;
  /** Entries that stand apart: the k largest, or the 4k largest. */
  readonly group: number;
}

/** @param crowded  whether entries beyond the k largest may have inclusion probabilities above 1/4. */
export function divisionShape(rows: number, n: number, k: number, crowded: boolean): DivisionShape {
  let run = SHORTEST_RUN;
  if (n < LONGEST_RUN) run = Math.ceil(n / 4) * 4;
  else {
    // The length that pads least, the longest of those.
    const padding = (length: number): number => Math.ceil(n / length) * length - n;
    for (let length = SHORTEST_RUN; length <= LONGEST_RUN; length += 4) {
      if (padding(length) <= padding(run)) run = length;
    }
  }
  const folds = [Math.ceil(n / run)];
  while (folds[folds.length - 1] > 1) folds.push(Math.ceil(folds[folds.length - 1] / RADIX));
  return { rows, k, width: folds[0] * run, run, folds, radix: RADIX, group: crowded ? 4 * k : k };
}
