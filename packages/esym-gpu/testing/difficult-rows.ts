/**
 * Rows of scores that make trouble: ties, masked classes, dominant ones, all scales. Every number is a float32, so that both
 * precisions see the same row.
 */
import * as fc from "fast-check";

export interface Shape {
  readonly batch: number;
  readonly n: number;
  readonly k: number;
}

/** Sizes across the tree's own: leaves of 8, one level to five, complete and not, k below and above a leaf. */
export const shape: fc.Arbitrary<Shape> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(4, 9, 20, 70, 200))
  .chain(([batch, most]) => fc.tuple(fc.constant(batch), fc.integer({ min: 2, max: most })))
  .chain(([batch, n]) =>
    fc.tuple(
      fc.constant(batch),
      fc.constant(n),
      fc.oneof(fc.integer({ min: 1, max: Math.min(6, n - 1) }), fc.integer({ min: 1, max: Math.min(60, n - 1) })),
    ),
  )
  .map(([batch, n, k]) => ({ batch, n, k }));

const entry = fc.oneof(
  { weight: 8, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
  { weight: 3, arbitrary: fc.constantFrom(0, 0.5, -0.5) },
  { weight: 1, arbitrary: fc.constant(-Infinity) },
  { weight: 1, arbitrary: fc.constantFrom(3, 30) },
);

const scale = fc.constantFrom(0, 0.01, 1, 10, 300, 1e6);

/** [batch, n] as rows of one scale each. */
export function rows({ batch, n }: Shape): fc.Arbitrary<number[][]> {
  const row = fc
    .tuple(scale, fc.array(entry, { minLength: n, maxLength: n }))
    .map(([factor, entries]) => entries.map((v) => (v === -Infinity ? v : Math.fround(factor * v))));
  return fc.array(row, { minLength: batch, maxLength: batch });
}

/** Rows with a label each that is not masked. */
export function labelledRows(of: Shape): fc.Arbitrary<{ scores: number[][]; labels: number[] }> {
  return fc
    .tuple(rows(of), fc.array(fc.nat({ max: of.n - 1 }), { minLength: of.batch, maxLength: of.batch }))
    .map(([scores, labels]) => ({
      scores: scores.map((row, b) => row.map((v, i) => (i === labels[b] && v === -Infinity ? 0 : v))),
      labels,
    }));
}
