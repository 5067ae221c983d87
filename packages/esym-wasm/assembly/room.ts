/**
 * The working memory of one thread: where each scratch array of a row stands. TypeScript owns the memory and hands over a
 * block; every instance of the module (one per thread) has its own.
 */

/** Scores of the row, -Infinity beyond its end: doubles, or floats where the row is computed in floats. */
export let rowAt: usize = 0;
/** exp((x_i - c) / T) of light entries, 0 for the others; zero beyond the end. */
export let eAt: usize = 0;
/** Weights of a Hessian-vector product, and its result before it is rounded to floats. */
export let weightsAt: usize = 0;
export let resultAt: usize = 0;
/** The group of heavy entries: value, factor constant + linear X, index in the row. */
export let valuesAt: usize = 0;
export let constantAt: usize = 0;
export let linearAt: usize = 0;
export let indexAt: usize = 0;
/** Coefficients 0 to k of the light entries' product and of the whole: leading and trailing parts. */
export let baseAt: usize = 0;
export let baseLoAt: usize = 0;
export let fullAt: usize = 0;
export let fullLoAt: usize = 0;
/** Products handed down by halving. */
export let halvesAt: usize = 0;
/** Power sums, brackets and the histogram of exponents: 128 numbers each. */
export let sumsAt: usize = 0;
export let bracketsAt: usize = 0;
export let countsAt: usize = 0;
/** The table of 2^(j / 128) in two doubles, and the entries and rests of a block of all-orders.ts. */
export let tableAt: usize = 0;
export let blockAt: usize = 0;
/** Level and exponent of each product on the stack of a Hessian-vector product. */
export let stackAt: usize = 0;

/** Numbers before coefficient 0 that are zero, so that a recurrence may look back. */
export const PADDING: i32 = 24;

// @ts-ignore: decorator
@inline
function padded(n: i32): f64 {
  return <f64>((n + 31) & ~15);
}

// @ts-ignore: decorator
@inline
function width(k: i32): f64 {
  return <f64>((k + 1 + PADDING + 3) & ~3);
}

function levels(n: i32): f64 {
  return <f64>(34 - clz(n + 1));
}

/** Bytes that {@link useRoom} needs for rows of n entries and order k. */
export function roomBytes(n: i32, k: i32): f64 {
  return 8 * (7.5 * padded(n) + (4 + 2 * levels(n)) * width(k) + 3 * 128) + 2816 + 64;
}

/** Lays the arrays out in the block at `at`, a multiple of 16. */
export function useRoom(at: usize, n: i32, k: i32): void {
  const long = <usize>padded(n) << 3;
  const short = <usize>width(k) << 3;
  const pad = (<usize>PADDING) << 3;
  rowAt = at;
  eAt = rowAt + long;
  weightsAt = eAt + long;
  resultAt = weightsAt + long;
  valuesAt = resultAt + long;
  constantAt = valuesAt + long;
  linearAt = constantAt + long;
  indexAt = linearAt + long;
  const polynomials = indexAt + (long >> 1);
  memory.fill(polynomials, 0, 4 * short);
  baseAt = polynomials + pad;
  baseLoAt = baseAt + short;
  fullAt = baseLoAt + short;
  fullLoAt = fullAt + short;
  sumsAt = polynomials + 4 * short;
  bracketsAt = sumsAt + 1024;
  countsAt = bracketsAt + 1024;
  tableAt = countsAt + 1024;
  blockAt = tableAt + 2048;
  stackAt = blockAt + 256;
  halvesAt = stackAt + 512;
}
