/**
 * All orders 0 to k at any magnitude: coefficient j is (hi + lo) 2^exponent, as the partials of packages/esym.
 *
 * The k largest entries are multiplied in first, in descending order, with general exponents; after them no entry grows a
 * coefficient by more than a factor 1 + k, and blocks of 16 are taken at fixed exponents, one compensated multiply-add per
 * order, two orders at once. Each step adds a relative error of 2^-98 at most, each exponential 2^-66.
 */
import { exponentOf, get, getIndex, getPair, powerOfTwo, set, setPair } from "./cells";
import { exponent, extendedExp, fillTable, mantissa, rest } from "./extended-exponential";
import { copyDoubles, widenFloats } from "./incoming-row";
import { selectLargest } from "./largest";
import { productRest } from "./newton-identities";
import { baseAt, baseLoAt, blockAt, fullAt, fullLoAt, indexAt, rowAt, valuesAt } from "./room";

/** Factors between two renormalisations: 16 of them grow a coefficient by (1 + 2k)^16 at most. */
const BLOCK: i32 = 16;
const VELTKAMP: f64 = 134217729;

/** 2^e for an integer e of any size. */
function anyPowerOfTwo(e: f64): f64 {
  return e < -1022 ? 0 : e > 1023 ? Infinity : powerOfTwo(<i32>e);
}

/** Brings hi[j] into [1, 2) and renews the split into hi and lo. */
// @ts-ignore: decorator
@inline
function normalise(hi: usize, lo: usize, exponents: usize, j: i32): void {
  const h = get(hi, j) + get(lo, j);
  const l = get(lo, j) - (h - get(hi, j));
  if (h === 0) return;
  const shift = exponentOf(h);
  const factor = powerOfTwo(-shift);
  set(hi, j, h * factor);
  set(lo, j, l * factor);
  set(exponents, j, get(exponents, j) + <f64>shift);
}

/** Times 1 + e X, e the extended exponential last computed. Entries must come in descending order. */
function multiplyLarge(hi: usize, lo: usize, exponents: usize, degree: i32): void {
  for (let j = degree; j >= 1; j--) {
    const before = get(hi, j - 1);
    const p = before * mantissa;
    const tail = productRest(before, mantissa, p) + (before * rest + get(lo, j - 1) * mantissa);
    const termExponent = get(exponents, j - 1) + exponent;
    const old = get(hi, j);
    if (old === 0) set(exponents, j, termExponent);
    const scale = anyPowerOfTwo(termExponent - get(exponents, j));
    const term = p * scale;
    const s = old + term;
    const back = s - old;
    set(hi, j, s);
    set(lo, j, get(lo, j) + (old - (s - back) + (term - back) + tail * scale));
    normalise(hi, lo, exponents, j);
  }
}

/** Times one entry e + rest at fixed exponents; shifts[j] brings order j - 1 to the exponent of order j. */
function multiplySmall(hi: usize, lo: usize, shifts: usize, k: i32, e: f64, rest: f64): void {
  const split = f64x2.splat(VELTKAMP);
  const ve = f64x2.splat(e);
  const vr = f64x2.splat(rest);
  const t = f64x2.mul(split, ve);
  const eh = f64x2.sub(t, f64x2.sub(t, ve));
  const el = f64x2.sub(ve, eh);
  for (let j = k - 1; j >= -1; j -= 2) {
    const shift = getPair(shifts, j);
    const a = f64x2.mul(getPair(hi, j - 1), shift);
    const ta = f64x2.mul(split, a);
    const ah = f64x2.sub(ta, f64x2.sub(ta, a));
    const al = f64x2.sub(a, ah);
    const product = f64x2.mul(a, ve);
    let error = f64x2.sub(f64x2.mul(ah, eh), product);
    error = f64x2.add(f64x2.add(f64x2.add(error, f64x2.mul(ah, el)), f64x2.mul(al, eh)), f64x2.mul(al, el));
    const below = f64x2.mul(getPair(lo, j - 1), shift);
    error = f64x2.add(error, f64x2.add(f64x2.mul(a, vr), f64x2.mul(below, ve)));
    const old = getPair(hi, j);
    const sum = f64x2.add(old, product);
    const back = f64x2.sub(sum, old);
    error = f64x2.add(error, f64x2.add(f64x2.sub(old, f64x2.sub(sum, back)), f64x2.sub(product, back)));
    setPair(hi, j, sum);
    setPair(lo, j, f64x2.add(getPair(lo, j), error));
  }
}

/** The row at rowAt: coefficients to baseAt, baseLoAt, exponents to fullAt. */
function coefficients(n: i32, k: i32): void {
  const hi = baseAt;
  const lo = baseLoAt;
  const exponents = fullAt;
  const shifts = fullLoAt;
  const bytes = (<usize>(k + 1)) << 3;
  memory.fill(hi, 0, bytes);
  memory.fill(lo, 0, bytes);
  memory.fill(exponents, 0, bytes);
  set(hi, 0, 1);
  if (k === 0) return;
  const count = selectLargest(rowAt, n, k, valuesAt, indexAt);
  for (let g = 0; g < count; g++) {
    extendedExp(get(valuesAt, g));
    multiplyLarge(hi, lo, exponents, g + 1);
    set(rowAt, getIndex(indexAt, g), -Infinity);
  }
  if (count < k) return;
  const base = exponent;
  set(shifts, 0, 0);
  let i = 0;
  while (i < n) {
    let size = 0;
    for (; i < n && size < BLOCK; i++) {
      const x = get(rowAt, i);
      if (x === -Infinity) continue;
      extendedExp(x);
      const scale = anyPowerOfTwo(exponent - base);
      if (scale === 0) continue;
      set(blockAt, size, mantissa * scale);
      set(blockAt, BLOCK + size++, rest * scale);
    }
    if (size === 0) continue;
    for (let j = 1; j <= k; j++) set(shifts, j, anyPowerOfTwo(base + get(exponents, j - 1) - get(exponents, j)));
    for (let c = 0; c < size; c++) multiplySmall(hi, lo, shifts, k, get(blockAt, c), get(blockAt, BLOCK + c));
    for (let j = 1; j <= k; j++) normalise(hi, lo, exponents, j);
  }
}

/**
 * For rows from <= b < to: k + 1 leading parts, trailing parts and exponents per row, one after the other.
 *
 * @returns the first row that holds NaN or +Infinity, or -1.
 */
export function logEspRows(x: usize, floats: bool, n: i32, k: i32, from: i32, to: i32, out: usize): i32 {
  const bytes: usize = (<usize>n) << (floats ? 2 : 3);
  const width = (<usize>(k + 1)) << 3;
  fillTable();
  for (let b = from; b < to; b++) {
    const row = x + <usize>b * bytes;
    if (!(floats ? widenFloats(row, n, -1, rowAt) : copyDoubles(row, n, -1, rowAt))) return b;
    coefficients(n, k);
    const place = out + <usize>b * 3 * width;
    memory.copy(place, baseAt, width);
    memory.copy(place + width, baseLoAt, width);
    memory.copy(place + 2 * width, fullAt, width);
  }
  return -1;
}
