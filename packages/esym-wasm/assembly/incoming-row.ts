/**
 * A row on its way in: copied beside its neighbours' reach, padded with -Infinity, the left-out entry removed, checked, and
 * its largest entry found, in one pass.
 */

/** The largest entry of the row last copied, -Infinity if it has none. */
export let largest: f64 = 0;

/** Copies n floats; false if one is NaN or +Infinity. */
export function copyFloats(x: usize, n: i32, leftOut: i32, row: usize): bool {
  const infinity = f32x4.splat(Infinity);
  let most = f32x4.splat(-Infinity);
  let good = i32x4.splat(-1);
  const end = row + (((<usize>n) >> 2) << 4);
  let out = row;
  for (; out < end; out += 16, x += 16) {
    const v = v128.load(x);
    good = v128.and(good, f32x4.lt(v, infinity));
    v128.store(out, v);
    most = f32x4.pmax(most, v);
  }
  let good1 = i32x4.all_true(good);
  let tail: f32 = -Infinity;
  for (let i = n & ~3; i < n; i++, x += 4, out += 4) {
    const v = load<f32>(x);
    good1 = good1 && v < Infinity;
    store<f32>(out, v);
    tail = max(tail, v);
  }
  const nothing = f32x4.splat(-Infinity);
  v128.store(out, nothing);
  v128.store(out, nothing, 16);
  v128.store(out, nothing, 32);
  v128.store(out, nothing, 48);
  if (!good1) return false;
  const ends = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  largest = max(max(ends, max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3))), tail);
  if (leftOut >= 0) {
    const at = row + ((<usize>leftOut) << 2);
    const removed = load<f32>(at);
    store<f32>(at, -Infinity);
    if (<f64>removed === largest) largest = largestFloat(row, n);
  }
  return true;
}

function largestFloat(row: usize, n: i32): f64 {
  let most = f32x4.splat(-Infinity);
  for (let i = 0; i < n; i += 4, row += 16) most = f32x4.pmax(most, v128.load(row));
  const ends = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  return max(ends, max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
}

/** Copies n doubles; false if one is NaN or +Infinity. */
export function copyDoubles(x: usize, n: i32, leftOut: i32, row: usize): bool {
  const infinity = f64x2.splat(Infinity);
  let good = i64x2.splat(-1);
  const end = row + (((<usize>n) >> 1) << 4);
  let out = row;
  for (; out < end; out += 16, x += 16) {
    const v = v128.load(x);
    good = v128.and(good, f64x2.lt(v, infinity));
    v128.store(out, v);
  }
  let good1 = i64x2.all_true(good);
  if (n & 1) {
    const v = load<f64>(x);
    good1 = good1 && v < Infinity;
    store<f64>(out, v);
    out += 8;
  }
  return finish(out, n, leftOut, row, good1);
}

/** Copies n floats as doubles; false if one is NaN or +Infinity. */
export function widenFloats(x: usize, n: i32, leftOut: i32, row: usize): bool {
  let good = true;
  let out = row;
  for (let i = 0; i < n; i++, x += 4, out += 8) {
    const v = load<f32>(x);
    good = good && v < Infinity;
    store<f64>(out, v);
  }
  return finish(out, n, leftOut, row, good);
}

function finish(out: usize, n: i32, leftOut: i32, row: usize, good: bool): bool {
  for (let i = 0; i < 16; i += 2, out += 16) v128.store(out, f64x2.splat(-Infinity));
  if (!good) return false;
  if (leftOut >= 0) store<f64>(row + ((<usize>leftOut) << 3), -Infinity);
  let most = f64x2.splat(-Infinity);
  for (let i = 0; i < n; i += 2) most = f64x2.pmax(most, v128.load(row + ((<usize>i) << 3)));
  largest = max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
  return true;
}

/** Says what the largest entry is where the row has been changed. */
export function setLargest(value: f64): void {
  largest = value;
}
