/**
 * Leave-one-out products without division: the product of everything outside a half of the factors is handed down,
 * so that at a single factor it is the product of all the others. Positive factors stay positive terms.
 */

/** What is done with the factors of a group. */
export interface Halving {
  /** Numbers in one product. */
  readonly width: number;
  /** Scratch space: the product outside the group in its first `width` numbers, and room for log2 more. */
  readonly rows: Float64Array;
  /** Multiplies the factors from <= g < to into the product at rows[at]; returns its change of exponent. */
  multiply(at: number, from: number, to: number): number;
  /** Receives the product of all factors but g, at rows[at], times 2^exponent. */
  visit(g: number, at: number, exponent: number): void;
}

/** Length of {@link Halving.rows} for a group of `count` factors. */
export function halvingRoom(width: number, count: number): number {
  return width * (2 + Math.ceil(Math.log2(count + 1)));
}

/** Visits every factor from <= g < to; count log2(count) multiplications by a factor. */
export function halve(task: Halving, from: number, to: number, at: number, exponent: number): void {
  if (to - from <= 1) {
    if (to > from) task.visit(from, at, exponent);
    return;
  }
  const { rows, width } = task;
  const middle = (from + to) >> 1;
  const below = at + width;
  rows.copyWithin(below, at, below);
  halve(task, from, middle, below, exponent + task.multiply(below, middle, to));
  rows.copyWithin(below, at, below);
  halve(task, middle, to, below, exponent + task.multiply(below, from, middle));
}
