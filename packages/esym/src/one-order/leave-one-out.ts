/**
 * Derivatives of log sigma_k and of log sigma_k - log sigma_{k-1} by leave-one-out polynomials
 * d(X) = prod over j != i of (a_j + b_j X).
 *
 * With P the full product and (a + b X) the factor of entry i:
 *   pi_i^(k)                = b d_{k-1} / P_k
 *   pi_i^(k) - pi_i^(k-1)   = a b (d_{k-1}^2 - d_{k-2} d_k) / (P_k P_{k-1})
 * Newton's inequality keeps the bracket above d_{k-1}^2 / k, so the subtraction loses a factor k at most.
 *
 * Entries with an inclusion probability up to 1/4 are divided out, d_j = P_j - e_i d_{j-1}, which is stable there.
 * The others are reached by halving: the product of everything outside a half is handed down, so each leaf is a
 * product of positive factors only. docs/algorithm.md, section 4.
 */
import { type CentredRow, stableBound } from "./centred-row.ts";
import { powerOfTwo } from "../numbers/exponential.ts";
import { halve, type Halving, halvingRoom } from "./halving.ts";
import { multiplyFactors } from "./truncated-product.ts";

/**
 * out[offset + i] = inclusionWeight pi_i^(k) + ratioWeight (pi_i^(k) - pi_i^(k-1)); 0 for removed entries.
 *
 * O(nk) time; the row must be factorised, 1 <= k. It is used up: entries leave its group.
 */
export function leaveOneOut(
  row: CentredRow,
  inclusionWeight: number,
  ratioWeight: number,
  out: Float64Array,
  offset: number,
): void {
  const { n, k, full, lastQuad } = row;
  const first = inclusionWeight / full[k];
  const second = ratioWeight / full[k] / full[k - 1];
  releaseSmall(row);
  const whole = n & ~3;
  divideQuads(row, 0, whole, first, second, out, offset);
  if (whole < n) {
    divideQuads(row, whole, n, first, second, lastQuad, 0);
    for (let i = whole; i < n; i++) out[offset + i] = lastQuad[i - whole];
  }
  const { constant, linear, index, fullExponent } = row;
  const room = halvingRoom(k + 1, row.group);
  if (row.halving.length < room) row.halving = new Float64Array(room);
  const rows = row.halving;
  rows.set(row.base.subarray(0, k + 1));
  const task: Halving = {
    width: k + 1,
    rows,
    multiply: (at, from, to) => multiplyFactors(rows, at, k, constant, linear, from, to),
    visit: (g, at, exponent) => {
      const scale = powerOfTwo(exponent - fullExponent);
      const d2 = k > 1 ? scale * rows[at + k - 2] : 0;
      const d1 = scale * rows[at + k - 1];
      const d0 = scale * rows[at + k];
      out[offset + index[g]] = linear[g] * (first * d1 + second * constant[g] * (d1 * d1 - d2 * d0));
    },
  };
  halve(task, 0, row.group, 0, row.baseExponent);
}

/** Hands entries of the group that may be divided out after all over to the others; most rows have no large entry. */
function releaseSmall(row: CentredRow): void {
  const { k, e, base, index, constant, linear } = row;
  const bound = stableBound(row);
  let kept = 0;
  for (let g = 0; g < row.group; g++) {
    if (linear[g] <= bound * constant[g]) {
      e[index[g]] = linear[g] / constant[g];
      row.baseExponent += multiplyFactors(base, 0, k, constant, linear, g, g + 1);
    } else {
      index[kept] = index[g];
      constant[kept] = constant[g];
      linear[kept++] = linear[g];
    }
  }
  row.group = kept;
}

/** Entries from <= i < to by division, four at a time: four independent chains hide each other's latency. */
function divideQuads(
  row: CentredRow,
  from: number,
  to: number,
  first: number,
  second: number,
  out: Float64Array,
  offset: number,
): void {
  const { k, e, full } = row;
  const p1 = full[k - 1];
  const p0 = full[k];
  let o = offset;
  for (let i = from; i < to; i += 4, o += 4) {
    const ea = e[i];
    const eb = e[i + 1];
    const ec = e[i + 2];
    const ed = e[i + 3];
    let a2 = 0;
    let b2 = 0;
    let c2 = 0;
    let d2 = 0;
    for (let j = 0; j < k - 1; j++) {
      const p = full[j];
      a2 = p - ea * a2;
      b2 = p - eb * b2;
      c2 = p - ec * c2;
      d2 = p - ed * d2;
    }
    const a1 = p1 - ea * a2;
    const b1 = p1 - eb * b2;
    const c1 = p1 - ec * c2;
    const d1 = p1 - ed * d2;
    out[o] = ea * (first * a1 + second * (a1 * a1 - a2 * (p0 - ea * a1)));
    out[o + 1] = eb * (first * b1 + second * (b1 * b1 - b2 * (p0 - eb * b1)));
    out[o + 2] = ec * (first * c1 + second * (c1 * c1 - c2 * (p0 - ec * c1)));
    out[o + 3] = ed * (first * d1 + second * (d1 * d1 - d2 * (p0 - ed * d1)));
  }
}
