/**
 * Rows on both sides of every choice that the kernels make: light or heavy, power sums or products, tilted or not, inverted
 * or not; and rows of few exact levels, where equal factors round alike at every step. All numbers are floats.
 */
import * as fc from "fast-check";

export interface HardRow {
  readonly scores: number[];
  readonly label: number;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

/** Two or three exact levels, with about k entries in the upper one. */
const levels = fc
  .tuple(
    fc.integer({ min: 3, max: 400 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(0.5, 3, 11, 100, 1e4, 1e6),
    fc.constantFrom(0.1, 1, 10),
    fc.boolean(),
  )
  .map(([n, fraction, beside, gap, tau, below]): HardRow => {
    const k = Math.max(1, Math.min(n - 1, Math.round(fraction * 60)));
    const upper = Math.max(0, Math.min(n, k + beside));
    const scores = Array.from({ length: n }, (_, i) => (i < upper ? gap : below && i % 7 === 0 ? -gap : 0));
    return { scores, label: n - 1, k, tau, alpha: 0 };
  });

/** Normal scores: spread / tau decides between light and heavy, k against n between the forms of either. */
const normal = fc
  .tuple(
    fc.constantFrom(2, 7, 20, 64, 200, 600),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(1e-3, 0.1, 1, 3, 10, 40),
    fc.constantFrom(0.05, 1, 3),
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    fc.boolean(),
  )
  .map(([n, fraction, spread, tau, seed, masked]): HardRow => {
    let state = seed;
    const uniform = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state + 1) / 2 ** 32;
    };
    const draw = (): number => spread * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const k = Math.max(1, Math.min(n - 1, Math.round(n ** fraction)));
    const scores = Array.from({ length: n }, (_, i) => (masked && i % 11 === 3 ? -Infinity : Math.fround(draw())));
    return { scores, label: 0, k, tau, alpha: 1 };
  });

export const hardRow: fc.Arbitrary<HardRow> = fc.oneof(levels, normal);

/** Rows that other implementations failed. */
export const KNOWN: readonly HardRow[] = [
  { scores: [...Array(380).fill(11), ...Array(12).fill(0)], label: 0, k: 10, tau: 1, alpha: 0 },
  { scores: [...Array(501).fill(1e4), ...Array(499).fill(0)], label: 0, k: 500, tau: 1, alpha: 0 },
  { scores: Array(500).fill(-(2 ** 50)), label: 3, k: 50, tau: 2 ** -30, alpha: 0 },
];

/** Ends of the range of doubles. */
export const ENDS: readonly HardRow[] = [
  { scores: [-1e308, -1e308, -1e308, -1e308], label: 2, k: 2, tau: 1, alpha: 1 },
  { scores: [5e-324, 0, -5e-324, 1e-310], label: 2, k: 2, tau: 1e-280, alpha: 0 },
];
