/**
 * What the host prepares of a row, in double precision: its largest entries, its centre, and every entry about it, rounded once to
 * single precision.
 */
import type { ExponentialScale } from "@smooth-topk/esym/kernel";
import { centreOf, countAbove, largest } from "./centre.ts";
import type { Exponentials } from "./device.ts";
import { expOfDifferences } from "./host-exponential.ts";
import type { RowArguments } from "./row-program.ts";

/** Argument of a class that is not there: its factor is 1. */
const REMOVED = -1e30;
/** A factor above the centre keeps its sign. */
const SMALLEST = 2 ** -126;

let exponentials: Float64Array = new Float64Array(0);

export interface RowWriter {
  readonly n: number;
  readonly k: number;
  readonly width: number;
  readonly group: number;
  readonly scale: ExponentialScale;
  readonly exponentials: Exponentials;
  /** True: the k largest entries are left out, because the host multiplies them in. */
  readonly leaveOut: boolean;
}

/** Of a row with fewer than k entries, and of a row that needs a larger group or double precision. */
export type NoCentre = "empty" | "crowded" | "far";

/** Entries this many temperatures above the k-th largest, or a k-th largest of this many, are left to double precision. */
const FARTHEST_ABOVE = 1e9;
/** A shift of the centre by a fraction of T must change it. */
const LARGEST_CENTRE = 2 ** 44;

/**
 * Writes row b of the arguments.
 *
 * @param x  the row, -Infinity where an entry is not there; overwritten.
 * @returns its centre, 'empty' where fewer than k entries are there, 'far' where single precision is no
 *          place for the row, or 'crowded' where the group is of the k largest entries, and others may have inclusion
 *          probabilities above 1/4.
 */
export function writeRow(writer: RowWriter, args: RowArguments, b: number, x: Float64Array): number | NoCentre {
  const { n, k, width, group, scale, leaveOut } = writer;
  const { inverse } = scale;
  const onHost = writer.exponentials === "host";
  const at = b * width;
  const nothing = onHost ? 0 : REMOVED;
  const top = largest(x, n, Math.max(k, group));
  args.group.fill(nothing, b * group, (b + 1) * group);
  args.classes.fill(-1, b * group, (b + 1) * group);
  if (top.count < k) {
    args.x.fill(nothing, at, at + width);
    return "empty";
  }
  const kth = top.values[k - 1];
  if (!((top.values[0] - kth) * inverse <= FARTHEST_ABOVE && Math.abs(kth) * inverse <= LARGEST_CENTRE)) {
    args.x.fill(nothing, at, at + width);
    return "far";
  }
  if (leaveOut) for (let g = 0; g < k; g++) x[top.indices[g]] = -Infinity;
  const above = leaveOut ? 0 : countAbove(top, k);
  const centre = centreOf(x, n, k, top, above, inverse);
  // Above the centre are some of the k largest at most.
  const apart = group > 0 ? top.count : above;
  for (let g = 0; g < apart; g++) x[top.indices[g]] = -Infinity;
  if (onHost) {
    if (exponentials.length < n) exponentials = new Float64Array(n);
    expOfDifferences(x, n, centre, inverse, exponentials);
    args.x.set(exponentials.length === n ? exponentials : exponentials.subarray(0, n), at);
  } else {
    for (let i = 0; i < n; i++) args.x[at + i] = Math.max((x[i] - centre) * inverse, REMOVED);
  }
  if (width > n) args.x.fill(nothing, at + n, at + width);
  for (let g = 0; g < apart; g++) {
    const t = (top.values[g] - centre) * inverse;
    const v = onHost ? signedFactor(t) : Math.max(t, REMOVED);
    if (group === 0) {
      args.x[at + top.indices[g]] = v;
    } else {
      args.group[b * group + g] = v;
      args.classes[b * group + g] = top.indices[g];
    }
  }
  return group === k && !restIsSmall(n, k, args.group[b * group + k - 1]) ? "crowded" : centre;
}

/**
 * Whether the inclusion probabilities of all entries up to e are below 1/4: they are at most e sigma_{k-1} / sigma_k, and
 * k sigma_k >= sigma_{k-1} times the sum of all entries but the k - 1 largest. Any part of that sum will do.
 */
function restIsSmall(n: number, k: number, e: number): boolean {
  if (e < 0) return false;
  const enough = 4 * k * e;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += exponentials[i];
    if (sum >= enough) return true;
  }
  return false;
}

/** exp(t) for t <= 0, -exp(-t) above. */
function signedFactor(t: number): number {
  return t > 0 ? -Math.max(Math.exp(-t), SMALLEST) : Math.exp(t);
}
