/** Numbers in linear memory: p[i] for a pointer p and an index i. */

// @ts-ignore: decorator
@inline
export function get(p: usize, i: i32): f64 {
  return load<f64>(p + ((<usize>i) << 3));
}

// @ts-ignore: decorator
@inline
export function set(p: usize, i: i32, value: f64): void {
  store<f64>(p + ((<usize>i) << 3), value);
}

// @ts-ignore: decorator
@inline
export function getIndex(p: usize, i: i32): i32 {
  return load<i32>(p + ((<usize>i) << 2));
}

// @ts-ignore: decorator
@inline
export function setIndex(p: usize, i: i32, value: i32): void {
  store<i32>(p + ((<usize>i) << 2), value);
}

/** Two neighbouring doubles p[i], p[i + 1]. */
// @ts-ignore: decorator
@inline
export function getPair(p: usize, i: i32): v128 {
  return v128.load(p + ((<usize>i) << 3));
}

// @ts-ignore: decorator
@inline
export function setPair(p: usize, i: i32, value: v128): void {
  v128.store(p + ((<usize>i) << 3), value);
}

/** A double in both lanes. */
// @ts-ignore: decorator
@inline
export function both(value: f64): v128 {
  return f64x2.splat(value);
}

/** The sum of both lanes. */
// @ts-ignore: decorator
@inline
export function lanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** The exponent of a positive normal double: 2^e <= value < 2^(e + 1). */
// @ts-ignore: decorator
@inline
export function exponentOf(value: f64): i32 {
  return <i32>((reinterpret<u64>(value) >> 52) & 0x7ff) - 1023;
}

/** 2^e for -1022 <= e <= 1023; 0 below, Infinity above. */
// @ts-ignore: decorator
@inline
export function powerOfTwo(e: i32): f64 {
  return e < -1022 ? 0 : e > 1023 ? Infinity : reinterpret<f64>(<u64>(e + 1023) << 52);
}

/** p[0..count) = 0, count a multiple of 2. */
export function clear(p: usize, count: i32): void {
  memory.fill(p, 0, (<usize>count) << 3);
}
