/**
 * Power sums p_m = sum_i e_i^m and polynomials at every entry, by loops of fixed length over blocks that stay in the
 * nearest cache: the first six or ten powers in one loop, then four at a time.
 */

/** Entries in a block. */
const BLOCK = 128;
const SHORT = 6;
const FIRST = 10;
const STEP = 4;

/** More power sums than this are never worth their cost. */
export const MOST_POWERS: number = FIRST + 4 * STEP;

/** The least number of power sums that the loops below compute and that is at least m. */
export function roundUpPowers(m: number): number {
  return m <= SHORT ? SHORT : m <= FIRST ? FIRST : FIRST + STEP * Math.ceil((m - FIRST) / STEP);
}

export interface PowerSums {
  /** p_m at index m, from 1 on. */
  readonly sum: Float64Array;
  /** What p_1 and p_2 lack by rounding. */
  rest: number;
  rest2: number;
  /** Powers of one block. */
  readonly block: Float64Array;
}

export function powerSumsRoom(): PowerSums {
  return { sum: new Float64Array(MOST_POWERS + 1), rest: 0, rest2: 0, block: new Float64Array(BLOCK) };
}

/** The sum of e[0..n) alone, which the choice of light entries needs: plain in blocks, off by 40 u. */
export function plainSum(e: Float64Array, n: number): number {
  let total = 0;
  const end = (n + 3) & ~3;
  for (let from = 0; from < end; from += BLOCK) {
    const to = Math.min(from + BLOCK, end);
    let a = 0;
    let b = 0;
    for (let i = from; i < to; i += 4) {
      a += e[i] + e[i + 1];
      b += e[i + 2] + e[i + 3];
    }
    total += a + b;
  }
  return total;
}

/**
 * Power sums of e[0..n) up to p_count, count a value of {@link roundUpPowers}.
 *
 * Entries are added in pairs of pairs, those sums and blocks by compensated addition where their rounding counts: p_1 with its
 * rest is off by 2 u, p_2 by 34 u, and those above by 34 u and one more for each block.
 *
 * @param e  zero from n on, its length a multiple of 4.
 */
export function powerSums(e: Float64Array, n: number, count: number, out: PowerSums): void {
  const { sum } = out;
  sum.fill(0, 0, count + 1);
  out.rest = 0;
  out.rest2 = 0;
  const end = (n + 3) & ~3;
  for (let from = 0; from < end; from += BLOCK) {
    const to = Math.min(from + BLOCK, end);
    firstSix(e, from, to, out);
    if (count > SHORT) seventhToTenth(e, from, to, sum);
    if (count > FIRST) morePowers(e, from, to, count, out);
  }
  const total = sum[1];
  sum[1] = total + out.rest;
  out.rest = total - sum[1] + out.rest;
  sum[2] += out.rest2;
}

function firstSix(e: Float64Array, from: number, to: number, out: PowerSums): void {
  const { sum } = out;
  let s1 = 0;
  let lost = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  for (let i = from; i < to; i += 4) {
    const a = e[i];
    const b = e[i + 1];
    const c = e[i + 2];
    const d = e[i + 3];
    const a2 = a * a;
    const b2 = b * b;
    const c2 = c * c;
    const d2 = d * d;
    const a3 = a2 * a;
    const b3 = b2 * b;
    const c3 = c2 * c;
    const d3 = d2 * d;
    const four = a + b + (c + d);
    const next = s1 + four;
    const back = next - s1;
    lost += s1 - (next - back) + (four - back);
    s1 = next;
    s2 += a2 + b2 + (c2 + d2);
    s3 += a3 + b3 + (c3 + d3);
    s4 += a2 * a2 + b2 * b2 + (c2 * c2 + d2 * d2);
    s5 += a2 * a3 + b2 * b3 + (c2 * c3 + d2 * d3);
    s6 += a3 * a3 + b3 * b3 + (c3 * c3 + d3 * d3);
  }
  const total = sum[1];
  const next = total + s1;
  const back = next - total;
  out.rest += total - (next - back) + (s1 - back) + lost;
  sum[1] = next;
  const total2 = sum[2];
  const next2 = total2 + s2;
  const back2 = next2 - total2;
  out.rest2 += total2 - (next2 - back2) + (s2 - back2);
  sum[2] = next2;
  sum[3] += s3;
  sum[4] += s4;
  sum[5] += s5;
  sum[6] += s6;
}

function seventhToTenth(e: Float64Array, from: number, to: number, sum: Float64Array): void {
  let s7 = 0;
  let s8 = 0;
  let s9 = 0;
  let s10 = 0;
  for (let i = from; i < to; i += 2) {
    const a = e[i];
    const b = e[i + 1];
    const a2 = a * a;
    const b2 = b * b;
    const a4 = a2 * a2;
    const b4 = b2 * b2;
    const a6 = a4 * a2;
    const b6 = b4 * b2;
    s7 += a6 * a + b6 * b;
    s8 += a4 * a4 + b4 * b4;
    s9 += a6 * (a2 * a) + b6 * (b2 * b);
    s10 += a6 * a4 + b6 * b4;
  }
  sum[7] += s7;
  sum[8] += s8;
  sum[9] += s9;
  sum[10] += s10;
}

/** Adds the powers from the eleventh on of one block: e^(m + 1)..e^(m + 4) from e^m, which `block` keeps. */
function morePowers(e: Float64Array, from: number, to: number, count: number, out: PowerSums): void {
  const { sum, block } = out;
  const length = to - from;
  for (let i = 0; i < length; i++) {
    const v = e[from + i];
    const v2 = v * v;
    const v4 = v2 * v2;
    block[i] = v4 * v4 * v2;
  }
  for (let m = FIRST; m < count; m += STEP) {
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    for (let i = 0; i < length; i += 2) {
      const v = e[from + i];
      const x = e[from + i + 1];
      const w = block[i];
      const y = block[i + 1];
      const v2 = v * v;
      const x2 = x * x;
      const wv = w * v;
      const yx = y * x;
      const w2 = w * v2;
      const y2 = y * x2;
      const w4 = w2 * v2;
      const y4 = y2 * x2;
      block[i] = w4;
      block[i + 1] = y4;
      s1 += wv + yx;
      s2 += w2 + y2;
      s3 += wv * v2 + yx * x2;
      s4 += w4 + y4;
    }
    sum[m + 1] += s1;
    sum[m + 2] += s2;
    sum[m + 3] += s3;
    sum[m + 4] += s4;
  }
}

/** out[offset + i] = e_i (g_0 + g_1 e_i + .. + g_(count-1) e_i^(count-1)) for i < n, count a value of {@link roundUpPowers}. */
export function polynomialOfEach(
  e: Float64Array,
  n: number,
  g: Float64Array,
  count: number,
  block: Float64Array,
  out: Float64Array,
  offset: number,
): void {
  if (count === SHORT) {
    const [g0, g1, g2, g3, g4, g5] = g;
    // Even and odd powers apart: two short chains in place of a long one.
    for (let i = 0; i < n; i++) {
      const v = e[i];
      const v2 = v * v;
      out[offset + i] = v * (g0 + v2 * (g2 + v2 * g4) + v * (g1 + v2 * (g3 + v2 * g5)));
    }
    return;
  }
  if (count === FIRST) {
    const [g0, g1, g2, g3, g4, g5, g6, g7, g8, g9] = g;
    for (let i = 0; i < n; i++) {
      const v = e[i];
      const v2 = v * v;
      const even = g0 + v2 * (g2 + v2 * (g4 + v2 * (g6 + v2 * g8)));
      out[offset + i] = v * (even + v * (g1 + v2 * (g3 + v2 * (g5 + v2 * (g7 + v2 * g9)))));
    }
    return;
  }
  for (let from = 0; from < n; from += BLOCK) {
    const length = Math.min(BLOCK, n - from);
    block.fill(0, 0, length);
    for (let m = count - STEP; m >= FIRST; m -= STEP) {
      const h0 = g[m];
      const h1 = g[m + 1];
      const h2 = g[m + 2];
      const h3 = g[m + 3];
      for (let i = 0; i < length; i++) {
        const v = e[from + i];
        const v2 = v * v;
        block[i] = h0 + v * h1 + v2 * (h2 + v * h3 + v2 * block[i]);
      }
    }
    const [g0, g1, g2, g3, g4, g5, g6, g7, g8, g9] = g;
    for (let i = 0; i < length; i++) {
      const v = e[from + i];
      const v2 = v * v;
      const even = g0 + v2 * (g2 + v2 * (g4 + v2 * (g6 + v2 * (g8 + v2 * block[i]))));
      out[offset + from + i] = v * (even + v * (g1 + v2 * (g3 + v2 * (g5 + v2 * (g7 + v2 * g9)))));
    }
  }
}
