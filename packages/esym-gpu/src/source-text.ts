/**
 * Pieces of kernel sources, which unroll loops over coefficients.
 */

/** The integers from <= i < to. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

export function lines(parts: readonly string[]): string {
  return parts.join("\n  ");
}
