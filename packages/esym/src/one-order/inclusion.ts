/**
 * The inclusion probabilities of one row: the gradient of log sigma_k.
 */
import { type CentredRow, centredRow, factorise } from "./centred-row.ts";
import { UNIT_SCALE } from "../numbers/exponential.ts";
import { leaveOneOut } from "./leave-one-out.ts";

/** What one row after another is computed in. */
export interface InclusionWorkspace {
  readonly row: CentredRow;
}

/** A workspace for rows of n entries at order k, 1 <= k <= n. */
export function inclusionWorkspace(n: number, k: number): InclusionWorkspace {
  return { row: centredRow(n, k) };
}

/**
 * out[offset + i] = pi_i, 0 for removed entries.
 *
 * @param x  the row, -Infinity where an entry is removed; overwritten.
 * @returns false where fewer than k entries are left (sigma_k = 0); out is then untouched.
 */
export function inclusionOfRow(work: InclusionWorkspace, x: Float64Array, out: Float64Array, offset: number): boolean {
  if (!factorise(work.row, x, UNIT_SCALE)) return false;
  leaveOneOut(work.row, 1, 0, out, offset);
  return true;
}
