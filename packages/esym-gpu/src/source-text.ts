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

/**
 * What sums of coefficients start from, in place of 0. High coefficients of few classes are far below 2^-126, and a CPU takes a
 * hundred cycles for each operation on such numbers: n = 10,000, k = 20 on WebAssembly took 2.5 times as long.
 *
 * It changes nothing: a coefficient j of a node meets coefficient k - j of the others, at most 2^k sigma_k about the
 * centre, so that 1e-30 in each of 1000 nodes is below 2^-25 of sigma_k up to k = 64.
 */
export function smallestSum(k: number): string {
  return k <= 64 ? "1.0e-30" : "0.0";
}
