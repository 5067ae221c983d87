/**
 * The vector-Jacobian product of x -> (log sigma_0, ..., log sigma_k):
 * g_i = sum_j v_j pi_i^(j), pi_i^(j) = e_i sigma_{j-1}(e without i) / sigma_j.
 *
 * All orders at once need numbers of any magnitude, so polynomials carry an exponent per coefficient, as in
 * partial.ts. Entries whose inclusion probability in the highest order is at most 1/4 (then also in every lower one) are divided out
 * of the product, the others are reached by halving.
 */
import { extendedExp, type ExtendedNumber, powerOfTwo } from "../numbers/exponential.ts";
import { halve, type Halving, halvingRoom } from "../one-order/halving.ts";
import { selectLargest } from "../numbers/selection.ts";
import { type EspPartial, partialOfRow, productOfPartials } from "../partials.ts";

const STABLE_INCLUSION_LOG = Math.log(4);

/** The entries of a shard, split in two, and the products they belong to. */
interface Split {
  /** Entries outside the group, -Infinity where one is in it or missing. */
  readonly small: Float64Array;
  readonly group: { readonly index: number; readonly e: ExtendedNumber }[];
  /** Product of everything but the group, other shards included. */
  readonly base: EspPartial;
  /** Product of everything. */
  readonly total: EspPartial;
  /** Highest order with sigma_j > 0. */
  readonly order: number;
  /** log of the bound on entries outside the group. */
  readonly logBound: number;
}

function split(x: Float64Array, k: number, outside: EspPartial): Split {
  const n = x.length;
  const room = Math.min(n, 2 * k);
  const values = new Float64Array(room);
  const indices = new Int32Array(room);
  const count = selectLargest(x, n, room, values, indices);
  const small = x.slice();
  const members: number[] = [];
  for (let g = 0; g < count; g++) {
    small[indices[g]] = -Infinity;
    members.push(indices[g]);
  }
  const groupProduct = partialOfRow(values.slice(0, count), count, k);
  let base = productOfPartials(partialOfRow(small.slice(), n, k), outside);
  const total = productOfPartials(base, groupProduct);
  let order = k;
  while (total.hi[order] === 0) order--;
  const logBound =
    order === 0
      ? Infinity
      : Math.log(total.hi[order] / total.hi[order - 1]) +
        (total.exponent[order] - total.exponent[order - 1]) * Math.LN2 -
        STABLE_INCLUSION_LOG;
  if (count > 0 && values[count - 1] > logBound) {
    const before = members.length;
    for (let i = 0; i < n; i++) {
      if (small[i] > logBound) {
        small[i] = -Infinity;
        members.push(i);
      }
    }
    if (members.length > before) base = productOfPartials(partialOfRow(small.slice(), n, k), outside);
  }
  const group = members.map((index) => ({ index, e: extendedExp(x[index], 0) }));
  return { small, group, base, total, order, logBound };
}

/**
 * out[offset + i] = sum_j cotangent[j] d log sigma_j / d x_i; orders with sigma_j = 0 contribute nothing.
 *
 * @param x        log-values of the shard, -Infinity for none. Not mutated.
 * @param outside  the partial of all entries outside the shard.
 * O(nk) time.
 */
export function vjpOfShard(
  x: Float64Array,
  k: number,
  cotangent: Float64Array,
  outside: EspPartial,
  out: Float64Array,
  offset: number,
): void {
  const { small, group, base, total, order, logBound } = split(x, k, outside);
  const { hi, exponent } = total;
  const weight = new Float64Array(k + 1);
  for (let j = 1; j <= order; j++) weight[j] = cotangent[j] / hi[j];

  const unit = Math.round(logBound / Math.LN2);
  const shift = new Float64Array(k + 1);
  for (let j = 1; j <= order; j++) shift[j] = powerOfTwo(unit + exponent[j - 1] - exponent[j]);
  for (let i = 0; i < x.length; i++) {
    let sum = 0;
    if (small[i] > -Infinity && order > 0) {
      const { mantissa, exponent: power } = extendedExp(small[i], 0);
      const e = mantissa * powerOfTwo(power - unit);
      let d = hi[0];
      for (let j = 1; j <= order; j++) {
        const term = e * shift[j] * d;
        sum += weight[j] * term;
        d = hi[j] - term;
      }
    }
    out[offset + i] = sum;
  }

  const width = 2 * (k + 1);
  const rows = new Float64Array(halvingRoom(width, group.length));
  rows.set(base.hi);
  rows.set(base.exponent, k + 1);
  const task: Halving = {
    width,
    rows,
    multiply: (at, from, to) => {
      for (let g = from; g < to; g++) multiplyExtended(rows, at, k, group[g].e);
      return 0;
    },
    visit: (g, at) => {
      const { index, e } = group[g];
      let sum = 0;
      for (let j = 1; j <= order; j++) {
        const scale = powerOfTwo(e.exponent + rows[at + k + 1 + j - 1] - exponent[j]);
        sum += weight[j] * e.mantissa * rows[at + j - 1] * scale;
      }
      out[offset + index] = sum;
    },
  };
  halve(task, 0, group.length, 0, 0);
}

/** The row at rows[at..at + k], exponents behind it, times (1 + e X). */
function multiplyExtended(rows: Float64Array, at: number, k: number, e: ExtendedNumber): void {
  for (let j = k; j >= 1; j--) {
    const here = at + j;
    const power = here + k + 1;
    const term = rows[here - 1] * e.mantissa;
    if (term === 0) continue;
    const gap = rows[power - 1] + e.exponent - rows[power];
    if (rows[here] === 0) {
      rows[here] = term;
      rows[power] += gap;
    } else if (gap > 0) {
      rows[here] = term + rows[here] * powerOfTwo(-gap);
      rows[power] += gap;
    } else {
      rows[here] += term * powerOfTwo(gap);
    }
    if (rows[here] > 2 ** 100) {
      rows[here] *= 2 ** -100;
      rows[power] += 100;
    }
  }
}
