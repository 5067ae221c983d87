/**
 * Losses to try: scores with ties, near ties and outliers at several scales, and the parameters.
 */
import * as fc from "fast-check";

export interface Instance {
  readonly s: number[];
  readonly y: number;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

export const U: number = 2 ** -53;

/** Scores on a grid of 2^-20, so that small shifts are exact. */
export const instance: fc.Arbitrary<Instance> = fc
  .record({
    scale: fc.constantFrom(0.1, 1, 10, 100),
    entries: fc.array(
      fc.oneof({ weight: 5, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) }, fc.constantFrom(0, 0.5, 1)),
      { minLength: 2, maxLength: 12 },
    ),
    y: fc.nat(),
    k: fc.nat(),
    tau: fc.constantFrom(0.01, 0.1, 1, 3, 100),
    alpha: fc.constantFrom(0, 0.3, 1, 2),
  })
  .map(({ scale, entries, y, k, tau, alpha }) => ({
    s: entries.map((v) => Math.round(v * scale * 2 ** 20) / 2 ** 20),
    y: y % entries.length,
    k: 1 + (k % (entries.length - 1)),
    tau,
    alpha,
  }));

/** Size of the exponents that subtract, times tau: what a rounding of the inputs of a loss can change. */
export function sensitivity({ s, k, tau, alpha }: Instance): number {
  return tau * (8 + Math.abs(alpha / tau) + (2 * Math.max(...s.map(Math.abs))) / (k * tau));
}

/** s_[k]: the k-th largest score besides the label's. */
export function kthOther({ s, y, k }: Instance): number {
  return s.toSpliced(y, 1).toSorted((a, b) => b - a)[k - 1];
}

export function binomial(n: number, k: number): number {
  let value = 1;
  for (let j = 1; j <= k; j++) value = (value * (n - k + j)) / j;
  return value;
}
