/**
 * Products of linear factors, truncated after degree k, in linear space: every term is positive, so there are only
 * sums and products and no cancellation.
 *
 * A long product is a tree: runs of factors one after the other, four at a time, then pairwise products. Rounding
 * errors grow with the depth of the tree, not with n. Coefficients are scaled by powers of two, which rounds nothing.
 */

/** Where coefficients pass this, the polynomial is scaled down; two such polynomials multiply within range. */
const RESCALE_ABOVE = 2 ** 400;
/** Factors in a run: with coefficients at most 1 it grows by less than 2^512. */
const LONGEST_RUN = 512;
const SHORTEST_RUN = 64;

/** Scratch space for products of degree k. */
export interface ProductStack {
  /** Rows of k + 5: four zeros, so that a recurrence may look back four coefficients, then the coefficients. */
  readonly rows: Float64Array;
  readonly levels: Int32Array;
  readonly exponents: Float64Array;
}

const PADDING = 4;
/** Deep enough for 2^40 runs. */
const DEPTH = 42;

export function productStack(k: number): ProductStack {
  return {
    rows: new Float64Array(DEPTH * (k + 1 + PADDING)),
    levels: new Int32Array(DEPTH),
    exponents: new Float64Array(DEPTH),
  };
}

/** The exponent of the power of two to take out of p[at..at + k]: 0 unless a coefficient has grown past 2^400. */
export function rescaleExponent(p: Float64Array, at: number, k: number): number {
  let largest = 0;
  for (let j = at; j <= at + k; j++) if (p[j] > largest) largest = p[j];
  return largest > RESCALE_ABOVE ? Math.floor(Math.log2(largest)) : 0;
}

function rescale(p: Float64Array, at: number, k: number): number {
  const exponent = rescaleExponent(p, at, k);
  if (exponent === 0) return 0;
  const factor = 2 ** -exponent;
  for (let j = at; j <= at + k; j++) p[j] *= factor;
  return exponent;
}

/** p = prod over from <= i < to of (1 + e_i X), truncated; to - from a multiple of 4, p padded. */
function multiplyRun(e: Float64Array, from: number, to: number, k: number, p: Float64Array, at: number): void {
  p.fill(0, at - PADDING, at + k + 1);
  p[at] = 1;
  for (let i = from; i < to; i += 4) {
    // Four factors at once: (1 + aX)(1 + bX)(1 + cX)(1 + dX) = 1 + q1 X + q2 X^2 + q3 X^3 + q4 X^4.
    const a = e[i];
    const b = e[i + 1];
    const c = e[i + 2];
    const d = e[i + 3];
    const s1 = a + b;
    const s2 = c + d;
    const p1 = a * b;
    const p2 = c * d;
    const q1 = s1 + s2;
    const q2 = p1 + p2 + s1 * s2;
    const q3 = s1 * p2 + s2 * p1;
    const q4 = p1 * p2;
    let j = at + k;
    let p0 = p[j];
    let m1 = p[j - 1];
    let m2 = p[j - 2];
    let m3 = p[j - 3];
    for (; j > at; j--) {
      const m4 = p[j - 4];
      p[j] = p0 + (q1 * m1 + (q2 * m2 + (q3 * m3 + q4 * m4)));
      p0 = m1;
      m1 = m2;
      m2 = m3;
      m3 = m4;
    }
  }
}

/** a = a b, truncated; a and b rows of the same array, at different places. */
function multiplyRows(rows: Float64Array, a: number, b: number, k: number): void {
  for (let j = k; j >= 0; j--) {
    let sum = 0;
    for (let l = 0; l <= j; l++) sum += rows[a + l] * rows[b + j - l];
    rows[a + j] = sum;
  }
}

/**
 * out 2^(returned exponent) = prod_{i < n} (1 + e_i X) mod X^(k+1), for 0 <= e_i <= 1.
 *
 * @param e  length at least n rounded up to a multiple of 4, zero from n on.
 * O(nk) time for k below a few hundred, O(k log n) memory.
 */
export function truncatedProduct(
  e: Float64Array,
  n: number,
  k: number,
  stack: ProductStack,
  out: Float64Array,
): number {
  const { rows, levels, exponents } = stack;
  const width = k + 1 + PADDING;
  const run = Math.min(LONGEST_RUN, Math.max(SHORTEST_RUN, (2 * k + 3) & ~3));
  const end = (n + 3) & ~3;
  let top = 0;
  for (let from = 0; from < end || top === 0; from += run) {
    const at = top * width + PADDING;
    multiplyRun(e, from, Math.min(from + run, end), k, rows, at);
    levels[top] = 0;
    exponents[top] = rescale(rows, at, k);
    top++;
    while (top > 1 && (levels[top - 2] === levels[top - 1] || from + run >= end)) {
      const below = rowStart(top - 2, width);
      multiplyRows(rows, below, rowStart(top - 1, width), k);
      exponents[top - 2] += exponents[top - 1] + rescale(rows, below, k);
      levels[top - 2]++;
      top--;
    }
  }
  for (let j = 0; j <= k; j++) out[j] = rows[PADDING + j];
  return exponents[0];
}

function rowStart(row: number, width: number): number {
  return row * width + PADDING;
}

/**
 * p = p prod over from <= g < to of (constant_g + linear_g X), truncated, for coefficients between 0 and 1.
 *
 * @returns the exponent of the power of two taken out of p.
 */
export function multiplyFactors(
  p: Float64Array,
  at: number,
  k: number,
  constant: Float64Array,
  linear: Float64Array,
  from: number,
  to: number,
): number {
  let exponent = 0;
  for (let g = from; g < to; g++) {
    const a = constant[g];
    const b = linear[g];
    for (let j = at + k; j > at; j--) p[j] = a * p[j] + b * p[j - 1];
    p[at] *= a;
    if ((g & 255) === 255) exponent += rescale(p, at, k);
  }
  return exponent + (to - from > 64 ? rescale(p, at, k) : 0);
}
