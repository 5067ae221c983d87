/**
 * Whole rows: the log-ratio with its gradient, and inclusion probabilities. A row of floats is computed in floats where all of
 * its entries are light, else in doubles.
 */
import { get, getIndex, set } from "./cells";
import { temperatureFitsFloats } from "./exponential";
import { centre, factorise, ratioOfProducts } from "./heavy-row";
import { copyDoubles, copyFloats, setLargest, widenFloats } from "./incoming-row";
import { leaveOneOut } from "./leave-one-out";
import { canBeLight, lightDoubles, lightFloats } from "./light-row";
import { eAt, rowAt } from "./room";
import { beginRow, beginTask, INCLUSION, settleRatio, vanishes, wanted } from "./row-weight";

function countEntries(n: i32): i32 {
  let m = 0;
  for (let i = 0; i < n; i++) if (get(rowAt, i) > -Infinity) m++;
  return m;
}

/** Replaces the row at rowAt by its negative, of the entries that are there. */
function negate(n: i32): void {
  let most: f64 = -Infinity;
  for (let i = 0; i < n; i++) {
    const v = get(rowAt, i);
    if (v > -Infinity) {
      set(rowAt, i, -v);
      most = max(most, -v);
    }
  }
  setLargest(most);
}

/** Fills a row of the result with a value. */
function fill(out: usize, n: i32, floats: bool, value: f64): void {
  for (let i = 0; i < n; i++) {
    if (floats) store<f32>(out + ((<usize>i) << 2), <f32>value);
    else set(out, i, value);
  }
}

/** The row at rowAt, in doubles. */
function doubleRow(floats: bool, n: i32, k: i32, b: i32, mayInvert: bool, light: bool, out: usize): void {
  let order = k;
  let inverted = false;
  if (mayInvert) {
    const m = countEntries(n);
    const complement = m - k + 1;
    if (m >= k && complement < k) {
      order = complement;
      inverted = true;
      negate(n);
    }
  }
  beginRow(b, inverted);
  const place = floats ? eAt : out;
  // Where it was light, a row of floats does not get here.
  const tryLight = inverted ? canBeLight(n, order, false) : light && !floats;
  if (!(tryLight && lightDoubles(n, order, place))) {
    if (!factorise(n, order, floats)) {
      settleRatio(0, 0);
      if (wanted) fill(out, n, floats, vanishes() ? 0 : NaN);
      return;
    }
    settleRatio(ratioOfProducts(order), centre);
    if (wanted && vanishes()) memory.fill(place, 0, (<usize>n) << 3);
    else if (wanted) leaveOneOut(eAt, n, order, place);
  }
  if (floats && wanted) for (let i = 0; i < n; i++) store<f32>(out + ((<usize>i) << 2), <f32>get(eAt, i));
}

/**
 * Rows from <= b < to of x, for one of the tasks of row-weight.ts, of order k >= 1:
 * sigma_k / sigma_{k-1} = ratio exp(centre / T) and the gradient of its logarithm in x / T, times the row's weight; or
 * inclusion probabilities. A row with sigma_k = 0 gets ratio 0, centre 0 and NaN.
 *
 * With m entries, sigma_k(e) = prod e sigma_{m-k}(1 / e): orders above m / 2 are computed as the inverse ratio of order
 * m - k + 1 of the negated row, which has the same gradient.
 *
 * @param leftOut  one index per row, -1 for none; or 0 for no such array.
 * @returns the first row that holds NaN or +Infinity, or -1.
 */
export function rows(
  task: i32,
  x: usize,
  floats: bool,
  n: i32,
  k: i32,
  from: i32,
  to: i32,
  leftOut: usize,
  ratios: usize,
  centres: usize,
  out: usize,
): i32 {
  const bytes: usize = (<usize>n) << (floats ? 2 : 3);
  const light = canBeLight(n, k, floats);
  const inFloats = floats && light && temperatureFitsFloats();
  const mayInvert = task !== INCLUSION && 2 * k > n + 1;
  beginTask(task, ratios, centres);
  for (let b = from; b < to; b++) {
    const row = x + <usize>b * bytes;
    const result = out + <usize>b * bytes;
    const without = leftOut === 0 ? -1 : getIndex(leftOut, b);
    if (inFloats) {
      if (!copyFloats(row, n, without, rowAt)) return b;
      beginRow(b, false);
      if (lightFloats(n, k, result)) continue;
    }
    if (!(floats ? widenFloats(row, n, without, rowAt) : copyDoubles(row, n, without, rowAt))) return b;
    doubleRow(floats, n, k, b, mayInvert, light, result);
  }
  return -1;
}

/** Multiplies rows from <= b < to of a gradient by their weights; a weight of 0 makes a row 0. */
export function weighRows(grads: usize, floats: bool, n: i32, from: i32, to: i32, weights: usize): void {
  for (let b = from; b < to; b++) {
    const weight = get(weights, b);
    const row = grads + (<usize>b * <usize>n << (floats ? 2 : 3));
    if (weight === 0) memory.fill(row, 0, (<usize>n) << (floats ? 2 : 3));
    else if (floats) weighFloats(row, n, <f32>weight);
    else for (let i = 0; i < n; i++) set(row, i, get(row, i) * weight);
  }
}

function weighFloats(row: usize, n: i32, weight: f32): void {
  const w = f32x4.splat(weight);
  const whole = row + ((<usize>(n & ~3)) << 2);
  for (; row < whole; row += 16) v128.store(row, f32x4.mul(v128.load(row), w));
  for (let i = 0; i < (n & 3); i++, row += 4) store<f32>(row, load<f32>(row) * weight);
}
