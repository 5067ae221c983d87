/**
 * Mergeable partial results: the truncated polynomial prod (1 + e^{x_i} X) of a shard of the entries.
 *
 * Coefficient j is (hi[j] + lo[j]) 2^exponent[j], hi in [1, 2): about 100 bits at any magnitude. Merging two partials
 * is a product of polynomials, associative and commutative up to those 100 bits, so a row may be split over
 * threads or machines and merged by any reduce; log sigma_j comes out the same to the last digit.
 * Bound: each step of summation adds at most 2^-98 relative error, each exponential 2^-66; at n = 10^6, j = 1000 the
 * coefficients are right to 2^-55, and log sigma_j to 2 u max(1, |log sigma_j|). docs/algorithm.md, section 6.
 */
import ndarray, { type NdArray } from "ndarray";
import { checkOrder, describe } from "./border.ts";
import { fastTwoSum, LN2_HI, LN2_LO, twoProduct, twoSum, VELTKAMP } from "./numbers/double-double.ts";
import { extendedExp, type ExtendedNumber, powerOfTwo } from "./numbers/exponential.ts";
import { selectLargest } from "./numbers/selection.ts";

/** The layout below. */
const PARTIAL_VERSION = 1;

/** Elementary symmetric polynomials of orders 0 to k of one shard. Plain data: it can be sent to another thread. */
export interface EspPartial {
  /** Of this layout: a partial that was stored or sent by a release with another one is refused, not misread. */
  readonly version: typeof PARTIAL_VERSION;
  readonly k: number;
  /** Leading parts, 0 where the coefficient is 0; length k + 1. */
  readonly hi: Float64Array;
  /** Trailing parts, |lo| <= 2^-53 hi. */
  readonly lo: Float64Array;
  /** Integer exponents of two. */
  readonly exponent: Float64Array;
}

/**
 * The partial of no entries, neutral for merging: sigma_0 = 1, all others 0. What a reduce starts from.
 *
 * @param k  highest order, >= 0.
 * @throws RangeError naming k and its value.
 *
 * @example
 * ```ts
 * import { emptyPartial, espPartial, logEspOfPartial, mergePartials } from "@smooth-topk/esym";
 *
 * const shards = [[2, 1], [0]].map((shard) => espPartial(shard, 2));
 * console.log(logEspOfPartial(shards.reduce(mergePartials, emptyPartial(2)))); // log sigma: 0, 2.4076, 3.4076
 * ```
 */
export function emptyPartial(k: number): EspPartial {
  checkOrder("emptyPartial", k, Infinity, 0, 0);
  return newPartial(k);
}

function newPartial(k: number): EspPartial {
  const hi = new Float64Array(k + 1);
  hi[0] = 1;
  return { version: PARTIAL_VERSION, k, hi, lo: new Float64Array(k + 1), exponent: new Float64Array(k + 1) };
}

/**
 * Refuses what is not a partial of this layout: one that came from a file or another program may be anything.
 *
 * @throws TypeError or RangeError naming the field, the index and the value.
 */
export function checkPartial(caller: string, argument: string, p: unknown): asserts p is EspPartial {
  if (typeof p !== "object" || p === null) {
    throw new TypeError(`${caller}: ${argument} is ${describe(p)}, expected a partial`);
  }
  const { version, k, ...fields } = p as Record<string, unknown>;
  if (version !== PARTIAL_VERSION) {
    throw new RangeError(`${caller}: ${argument}.version is ${describe(version)}, expected ${PARTIAL_VERSION}`);
  }
  if (typeof k !== "number" || !Number.isInteger(k) || k < 0) {
    throw new RangeError(`${caller}: ${argument}.k is ${describe(k)}, expected an integer >= 0`);
  }
  for (const name of ["hi", "lo", "exponent"] as const) {
    const field = fields[name];
    if (!(field instanceof Float64Array && field.length === k + 1)) {
      const found = field instanceof Float64Array ? `has length ${field.length}` : `is ${describe(field)}`;
      throw new RangeError(`${caller}: ${argument}.${name} ${found}, expected a Float64Array of length ${k + 1}`);
    }
    const bad = field.findIndex((v) => !Number.isFinite(v) || (name === "hi" && v < 0));
    if (bad >= 0)
      throw new RangeError(`${caller}: ${argument}.${name}[${bad}] is ${field[bad]}, expected a finite number`);
  }
}

/** Brings hi[j] into [1, 2) and renews the split into hi and lo. */
function normalise(p: EspPartial, j: number): void {
  const { hi, lo, exponent } = p;
  const [h, l] = fastTwoSum(hi[j], lo[j]);
  if (h === 0) return;
  const shift = Math.floor(Math.log2(h));
  const factor = 2 ** -shift;
  hi[j] = h * factor;
  lo[j] = l * factor;
  exponent[j] += shift;
}

/** p = p (1 + e X) for any magnitude of e: O(degree) general steps. Entries must come in descending order. */
function multiplyLarge(p: EspPartial, e: ExtendedNumber, degree: number): void {
  const { hi, lo, exponent } = p;
  for (let j = degree; j >= 1; j--) {
    const [ph, pl] = twoProduct(hi[j - 1], e.mantissa);
    const tail = pl + (hi[j - 1] * e.rest + lo[j - 1] * e.mantissa);
    const termExponent = exponent[j - 1] + e.exponent;
    if (hi[j] === 0) exponent[j] = termExponent;
    const scale = powerOfTwo(termExponent - exponent[j]);
    const [s, error] = twoSum(hi[j], ph * scale);
    hi[j] = s;
    lo[j] += error + tail * scale;
    normalise(p, j);
  }
}

/** Factors between two renormalisations: 16 of them grow a coefficient by (1 + 2k)^16 at most. */
const BLOCK = 16;

/**
 * Multiplies in entries no larger than the k-th largest already in p, whose exponential has exponent `base`.
 *
 * Inside a block the exponents stand still, so an entry costs one compensated multiply-add per order.
 */
function multiplySmall(p: EspPartial, x: Float64Array, n: number, base: number): void {
  const { k, hi, lo, exponent } = p;
  const shift = new Float64Array(k + 1);
  const entries = new Float64Array(BLOCK);
  const rests = new Float64Array(BLOCK);
  let i = 0;
  while (i < n) {
    let count = 0;
    for (; i < n && count < BLOCK; i++) {
      if (x[i] === -Infinity) continue;
      const e = extendedExp(x[i], 0);
      const scale = powerOfTwo(e.exponent - base);
      if (scale === 0) continue;
      entries[count] = e.mantissa * scale;
      rests[count++] = e.rest * scale;
    }
    for (let j = 1; j <= k; j++) shift[j] = powerOfTwo(base + exponent[j - 1] - exponent[j]);
    for (let c = 0; c < count; c++) {
      const e = entries[c];
      const rest = rests[c];
      const te = VELTKAMP * e;
      const eh = te - (te - e);
      const el = e - eh;
      for (let j = k; j >= 1; j--) {
        // (hi, lo)[j] += e (hi, lo)[j - 1], compensated; Dekker's product written out.
        const a = hi[j - 1] * shift[j];
        const ta = VELTKAMP * a;
        const ah = ta - (ta - a);
        const al = a - ah;
        const product = a * e;
        const productError = al * el - (product - ah * eh - al * eh - ah * el);
        const old = hi[j];
        const sum = old + product;
        const back = sum - old;
        hi[j] = sum;
        lo[j] += old - (sum - back) + (product - back) + productError + (a * rest + lo[j - 1] * shift[j] * e);
      }
    }
    for (let j = 1; j <= k; j++) normalise(p, j);
  }
}

/**
 * The partial of the n entries of x.
 *
 * The k largest are multiplied in first, in descending order: after them sigma_{j-1} <= k sigma_j / e_(k) for all j,
 * so no later factor can overflow a coefficient or be lost that matters.
 *
 * @param x  log-values, -Infinity for none; overwritten.
 * O(nk + k^2) time.
 */
export function partialOfRow(x: Float64Array, n: number, k: number): EspPartial {
  const p = newPartial(k);
  const values = new Float64Array(k);
  const indices = new Int32Array(k);
  const count = selectLargest(x, n, k, values, indices);
  let base = 0;
  for (let g = 0; g < count; g++) {
    const e = extendedExp(values[g], 0);
    multiplyLarge(p, e, g + 1);
    base = e.exponent;
    x[indices[g]] = -Infinity;
  }
  if (count === k && k > 0) multiplySmall(p, x, n, base);
  return p;
}

/**
 * Merges the partials of two disjoint shards: their product, truncated.
 *
 * @throws RangeError if they are of different orders.
 * O(k^2) time.
 *
 * @example
 * ```ts
 * import { espPartial, logEspOfPartial, mergePartials } from "@smooth-topk/esym";
 *
 * const merged = mergePartials(espPartial([0, 0], 2), espPartial([0], 2));
 * console.log(logEspOfPartial(merged)); // 0, 1.0986, 1.0986
 * ```
 */
export function mergePartials(a: EspPartial, b: EspPartial): EspPartial {
  checkPartial("mergePartials", "a", a);
  checkPartial("mergePartials", "b", b);
  if (a.k !== b.k) {
    throw new RangeError(`mergePartials: partials of different orders, k = ${a.k} and k = ${b.k}`);
  }
  return productOfPartials(a, b);
}

/** As {@link mergePartials}, of partials that passed its checks. */
export function productOfPartials(a: EspPartial, b: EspPartial): EspPartial {
  const { k } = a;
  const out = newPartial(k);
  for (let j = 0; j <= k; j++) {
    let top = -Infinity;
    for (let l = 0; l <= j; l++) {
      if (a.hi[l] > 0 && b.hi[j - l] > 0) top = Math.max(top, a.exponent[l] + b.exponent[j - l]);
    }
    out.hi[j] = 0;
    if (top === -Infinity) continue;
    let hi = 0;
    let lo = 0;
    for (let l = 0; l <= j; l++) {
      const scale = powerOfTwo(a.exponent[l] + b.exponent[j - l] - top);
      if (scale === 0 || a.hi[l] === 0 || b.hi[j - l] === 0) continue;
      const [ph, pl] = twoProduct(a.hi[l], b.hi[j - l]);
      const [s, error] = twoSum(hi, ph * scale);
      hi = s;
      lo += error + scale * (pl + (a.hi[l] * b.lo[j - l] + a.lo[l] * b.hi[j - l]));
    }
    out.hi[j] = hi;
    out.lo[j] = lo;
    out.exponent[j] = top;
    normalise(out, j);
  }
  return out;
}

/**
 * log sigma_0..log sigma_k of the entries of a partial, as `logEsp` of the whole row returns them.
 *
 * @returns shape [k + 1]; -Infinity where sigma_j = 0.
 * @throws RangeError or TypeError naming the field of what is not a partial of this version.
 *
 * Error below 2 u max(1, |log sigma_j|), u = 2^-53. O(k) time.
 *
 * @example
 * ```ts
 * import { emptyPartial, logEspOfPartial } from "@smooth-topk/esym";
 *
 * console.log(logEspOfPartial(emptyPartial(0))); // log sigma_0 of no entries: 0
 * ```
 */
export function logEspOfPartial(p: EspPartial): NdArray<Float64Array> {
  checkPartial("logEspOfPartial", "p", p);
  return ndarray(logsOfPartial(p), [p.k + 1]);
}

/** The numbers of {@link logEspOfPartial}. */
export function logsOfPartial(p: EspPartial): Float64Array {
  const { k, hi, lo, exponent } = p;
  const out = new Float64Array(k + 1);
  for (let j = 0; j <= k; j++) {
    if (hi[j] === 0) {
      out[j] = -Infinity;
      continue;
    }
    // A mantissa in [0.7, 1.4]: its logarithm is small and does not cancel against the exponent's.
    const half = hi[j] > Math.SQRT2 ? 0.5 : 1;
    const e = exponent[j] + (half === 1 ? 0 : 1);
    const [ph, pl] = twoProduct(e, LN2_HI);
    out[j] = ph + (Math.log(hi[j] * half) + (lo[j] / hi[j] + e * LN2_LO + pl));
  }
  return out;
}
