/**
 * Power sums p_m = sum_i e_i^m and polynomials at every entry, by loops of fixed length over blocks that stay in the
 * nearest cache: the first six powers in one loop, then four at a time.
 */

/** Entries in a block. */
const BLOCK = 128;
const FIRST = 6;
const STEP = 4;

/** More power sums than this are never worth their cost. */
export const MOST_POWERS: number = FIRST + 5 * STEP;

/** The least number of power sums that the loops below compute and that is at least m. */
export function roundUpPowers(m: number): number {
  return m <= FIRST ? FIRST : FIRST + STEP * Math.ceil((m - FIRST) / STEP);
}

export interface PowerSums {
  /** p_m at index m, from 1 on. */
  readonly sum: Float64Array;
  /** What p_1 lacks by rounding. */
  rest: number;
  /** Powers of one block. */
  readonly block: Float64Array;
}

export function powerSumsRoom(): PowerSums {
  return { sum: new Float64Array(MOST_POWERS + 1), rest: 0, block: new Float64Array(BLOCK) };
}

/**
 * Power sums of e[0..n) up to p_count, count a value of {@link roundUpPowers}.
 *
 * Entries are added in pairs of pairs, 32 of those to a block, and blocks by compensated sums where their rounding
 * counts: p_1 and its rest are off by 3 u at most for the pairs and 2 u for a block, p_2 and those above by 36 u.
 *
 * @param e  zero from n on, its length a multiple of 4.
 */
export function powerSums(e: Float64Array, n: number, count: number, out: PowerSums): void {
  const { sum, block } = out;
  sum.fill(0, 0, count + 1);
  const end = (n + 3) & ~3;
  let total = 0;
  let rest = 0;
  let total2 = 0;
  let rest2 = 0;
  for (let from = 0; from < end; from += BLOCK) {
    const to = Math.min(from + BLOCK, end);
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
    const next = total + s1;
    const back = next - total;
    rest += total - (next - back) + (s1 - back) + lost;
    total = next;
    const next2 = total2 + s2;
    rest2 += total2 > s2 ? total2 - next2 + s2 : s2 - next2 + total2;
    total2 = next2;
    sum[3] += s3;
    sum[4] += s4;
    sum[5] += s5;
    sum[6] += s6;
    if (count > FIRST) morePowers(e, from, to, count, sum, block);
  }
  sum[1] = total + rest;
  out.rest = total - sum[1] + rest;
  sum[2] = total2 + rest2;
}

/** Adds the powers from the seventh on of one block: e^(m + 1)..e^(m + 4) from e^m, which `block` keeps. */
function morePowers(
  e: Float64Array,
  from: number,
  to: number,
  count: number,
  sum: Float64Array,
  block: Float64Array,
): void {
  for (let i = from; i < to; i++) {
    const v = e[i];
    const v2 = v * v;
    block[i - from] = v2 * v2 * v2;
  }
  for (let m = FIRST; m < count; m += STEP) {
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    for (let i = from; i < to; i++) {
      const v = e[i];
      const w = block[i - from];
      const v2 = v * v;
      const a = w * v;
      const b = w * v2;
      const c = a * v2;
      const d = b * v2;
      block[i - from] = d;
      s1 += a;
      s2 += b;
      s3 += c;
      s4 += d;
    }
    sum[m + 1] += s1;
    sum[m + 2] += s2;
    sum[m + 3] += s3;
    sum[m + 4] += s4;
  }
}

/**
 * out[offset + i] = e_i (g_0 + g_1 e_i + .. + g_(count-1) e_i^(count-1)) for i < n, count a value of
 * {@link roundUpPowers}; four entries at a time, whose chains of operations hide each other's latency.
 */
export function polynomialOfEach(
  e: Float64Array,
  n: number,
  g: Float64Array,
  count: number,
  block: Float64Array,
  out: Float64Array,
  offset: number,
): void {
  const g0 = g[0];
  const g1 = g[1];
  const g2 = g[2];
  const g3 = g[3];
  const g4 = g[4];
  const g5 = g[5];
  if (count === FIRST) {
    for (let i = 0; i < n; i++) {
      const v = e[i];
      out[offset + i] = v * (g0 + v * (g1 + v * (g2 + v * (g3 + v * (g4 + v * g5)))));
    }
    return;
  }
  for (let from = 0; from < n; from += BLOCK) {
    const to = Math.min(from + BLOCK, n);
    let m = count - STEP;
    {
      const h0 = g[m];
      const h1 = g[m + 1];
      const h2 = g[m + 2];
      const h3 = g[m + 3];
      for (let i = from; i < to; i++) {
        const v = e[i];
        block[i - from] = h0 + v * (h1 + v * (h2 + v * h3));
      }
    }
    for (m -= STEP; m >= FIRST; m -= STEP) {
      const h0 = g[m];
      const h1 = g[m + 1];
      const h2 = g[m + 2];
      const h3 = g[m + 3];
      for (let i = from; i < to; i++) {
        const v = e[i];
        block[i - from] = h0 + v * (h1 + v * (h2 + v * (h3 + v * block[i - from])));
      }
    }
    for (let i = from; i < to; i++) {
      const v = e[i];
      out[offset + i] = v * (g0 + v * (g1 + v * (g2 + v * (g3 + v * (g4 + v * (g5 + v * block[i - from]))))));
    }
  }
}
