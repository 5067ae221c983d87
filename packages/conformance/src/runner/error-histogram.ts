/** How errors are distributed, as fractions of what is allowed: bins of a quarter of a decade, and one for exact values. */
import { excess, type NumberError } from "./judge.ts";

export const LOWEST_DECADE = -4;
export const HIGHEST_DECADE = 2;
export const BINS_A_DECADE = 4;
const BINS: number = (HIGHEST_DECADE - LOWEST_DECADE) * BINS_A_DECADE;

export interface Histogram {
  /** Values without error. */
  readonly exact: number;
  /**
   * Values by log10(error / allowed), a bin every 1 / BINS_A_DECADE from LOWEST_DECADE to HIGHEST_DECADE. The first holds
   * all that is smaller, the last all that is larger, NaN and Infinity included.
   */
  readonly bins: readonly number[];
  readonly total: number;
}

/** The bin of the first error beyond what is allowed. */
export const FIRST_BEYOND: number = -LOWEST_DECADE * BINS_A_DECADE;

export function histogramOf(errors: readonly NumberError[]): Histogram {
  const bins = new Array<number>(BINS).fill(0);
  let exact = 0;
  for (const error of errors) {
    const fraction = excess(error);
    if (fraction === 0) exact++;
    else bins[binOf(fraction)]++;
  }
  return { exact, bins, total: errors.length };
}

/** A fraction of exactly 1 is allowed, so bins hold their upper ends. */
function binOf(fraction: number): number {
  const place = Math.ceil((Math.log10(fraction) - LOWEST_DECADE) * BINS_A_DECADE) - 1;
  return Math.min(BINS - 1, Math.max(0, place));
}
