/**
 * The Hessian of log sigma_k times a vector: the covariance of the k-subset distribution,
 * (H v)_i = Cov([i in A], sum over l in A of v_l).
 *
 * Beside each polynomial P(X) = sum_A prod_A e X^|A| runs the one weighted by v(A) = sum over A of v_l, N(X); S = N_k / P_k is the
 * mean of v(A). With d, n the pair without entry i:
 *   (H v)_i = pi_i (v_i + n_{k-1} / d_{k-1} - S) = (1 - pi_i) (S - n_k / d_k),
 * the first for pi_i up to 1/2, the second above. H 1 = 0, so v may be shifted: with all v_l >= 0 every sum is of
 * positive terms. Error below 64 k u H_ii (max v - min v), H_ii = pi_i (1 - pi_i). docs/algorithm.md, section 7.
 */
import { type CentredRow, centredRow, factorise } from "./centred-row.ts";
import { powerOfTwo, UNIT_SCALE } from "../numbers/exponential.ts";
import { halve, type Halving, halvingRoom } from "./halving.ts";
import { rescaleExponent } from "./truncated-product.ts";

/** A pair of polynomials is stored as P_0..P_k, N_0..N_k. */
type Pairs = Float64Array;

/** Pair at `at` times (a + b X), whose entry has weight v. */
function multiplyPair(pairs: Pairs, at: number, k: number, a: number, b: number, v: number): void {
  const weighted = at + k + 1;
  for (let j = k; j >= 1; j--) {
    pairs[weighted + j] = a * pairs[weighted + j] + b * (pairs[weighted + j - 1] + v * pairs[at + j - 1]);
    pairs[at + j] = a * pairs[at + j] + b * pairs[at + j - 1];
  }
  pairs[weighted] *= a;
  pairs[at] *= a;
}

/** Scales both polynomials of a pair alike; N <= k P for weights up to 1. */
function rescalePair(pairs: Pairs, at: number, k: number): number {
  const exponent = rescaleExponent(pairs, at, k);
  if (exponent === 0) return 0;
  const factor = 2 ** -exponent;
  for (let j = at; j < at + 2 * (k + 1); j++) pairs[j] *= factor;
  return exponent;
}

/** a = a b for pairs: P = P_a P_b, N = N_a P_b + P_a N_b. */
function multiplyPairs(a: Pairs, b: Pairs, k: number): void {
  for (let j = k; j >= 0; j--) {
    let plain = 0;
    let weighted = 0;
    for (let l = 0; l <= j; l++) {
      plain += a[l] * b[j - l];
      weighted += a[k + 1 + l] * b[j - l] + a[l] * b[k + 1 + j - l];
    }
    a[j] = plain;
    a[k + 1 + j] = weighted;
  }
}

/** The pair of the entries from <= i < to outside the group, as a tree over runs; returns it with its exponent. */
function pairOfRange(row: CentredRow, v: Float64Array, from: number, to: number): { pair: Pairs; exponent: number } {
  const { k, e } = row;
  if (to - from > Math.min(512, Math.max(64, 2 * k))) {
    const middle = (from + to) >> 1;
    const left = pairOfRange(row, v, from, middle);
    const right = pairOfRange(row, v, middle, to);
    multiplyPairs(left.pair, right.pair, k);
    return { pair: left.pair, exponent: left.exponent + right.exponent + rescalePair(left.pair, 0, k) };
  }
  const pair = new Float64Array(2 * (k + 1));
  pair[0] = 1;
  for (let i = from; i < to; i++) if (e[i] > 0) multiplyPair(pair, 0, k, 1, e[i], v[i]);
  return { pair, exponent: rescalePair(pair, 0, k) };
}

/**
 * out[offset + i] = (H v)_i, 0 for removed entries; NaN everywhere if sigma_k = 0.
 *
 * @param x  the row, -Infinity where an entry is removed; overwritten.
 * @param v  finite; overwritten.
 * O(nk) time.
 */
export function hvpOfRow(x: Float64Array, k: number, v: Float64Array, out: Float64Array, offset: number): void {
  const n = x.length;
  const { range, unit } = toUnitInterval(x, v);
  const row = centredRow(n, k);
  out.fill(0, offset, offset + n);
  if (k === 0) return;
  if (!factorise(row, x, UNIT_SCALE)) {
    out.fill(NaN, offset, offset + n);
    return;
  }
  const { e, index, constant, linear, group } = row;
  const width = 2 * (k + 1);
  const rows = new Float64Array(halvingRoom(width, group));
  const base = pairOfRange(row, v, 0, n);
  rows.set(base.pair);
  const multiply = (at: number, from: number, to: number): number => {
    let exponent = 0;
    for (let g = from; g < to; g++) {
      multiplyPair(rows, at, k, constant[g], linear[g], v[index[g]]);
      if ((g & 127) === 127) exponent += rescalePair(rows, at, k);
    }
    return exponent + rescalePair(rows, at, k);
  };
  const fullExponent = base.exponent + multiply(0, 0, group);
  const full = rows.slice(0, width);
  rows.set(base.pair);
  const sigma = full[k];
  const mean = full[k + 1 + k] / sigma;

  for (let i = 0; i < n; i++) {
    const ei = e[i];
    if (ei === 0) continue;
    let d = full[0];
    let weighted = full[k + 1];
    for (let j = 1; j < k; j++) {
      weighted = full[k + 1 + j] - ei * (weighted + v[i] * d);
      d = full[j] - ei * d;
    }
    out[offset + i] = range * ((ei * d) / sigma) * (v[i] + weighted / d - mean);
  }
  const task: Halving = {
    width,
    rows,
    multiply,
    visit: (g, at, exponent) => {
      const scale = powerOfTwo(exponent - fullExponent) / sigma;
      const inside = linear[g] * rows[at + k - 1] * scale;
      const outside = constant[g] * rows[at + k] * scale;
      const i = index[g];
      const weighted = at + k + 1;
      out[offset + i] =
        inside <= outside
          ? range * inside * (v[i] + rows[weighted + k - 1] / rows[at + k - 1] - mean)
          : outside === 0
            ? 0
            : range * outside * (mean - rows[weighted + k] / rows[at + k]);
    },
  };
  halve(task, 0, group, 0, base.exponent);
  // (1 - pi) pi is at most 1/4: the product is a double even where the range of v is none.
  if (unit === 2) for (let i = offset; i < offset + n; i++) out[i] *= 2;
}

/**
 * Maps the weights of entries that are there to [0, 1]; the length of their range is range * unit, unit 1 or, where that
 * passes the doubles, 2.
 */
function toUnitInterval(x: Float64Array, v: Float64Array): { range: number; unit: 1 | 2 } {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < x.length; i++) {
    if (x[i] === -Infinity) continue;
    low = Math.min(low, v[i]);
    high = Math.max(high, v[i]);
  }
  const unit = high - low === Infinity ? 2 : 1;
  const range = high / unit - low / unit;
  for (let i = 0; i < x.length; i++) {
    v[i] = x[i] === -Infinity || !(range > 0) ? 0 : (v[i] / unit - low / unit) / range;
  }
  return { range: range > 0 ? range : 0, unit };
}
