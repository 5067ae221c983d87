/**
 * What becomes of a row's ratio: it is stored, and decides what the row's gradient is multiplied by.
 */
import { set } from "./cells";

/** What is wanted of a row. */
export const INCLUSION: i32 = 0;
export const RATIO_ONLY: i32 = 1;
export const RATIO_AND_GRADIENT: i32 = 2;
/** The same, times a weight that TypeScript is asked for. */
export const WEIGHTED_GRADIENT: i32 = 3;

// @ts-ignore: decorator
@external("env", "rowWeight")
declare function rowWeight(row: i32, ratio: f64, centre: f64): f64;

/** The gradient of the row is inclusionWeight pi^(k) + ratioWeight (pi^(k) - pi^(k-1)). */
export let inclusionWeight: f64 = 0;
export let ratioWeight: f64 = 0;
/** Whether the row's gradient is wanted at all. */
export let wanted: bool = true;

let task: i32 = INCLUSION;
let row: i32 = 0;
let inverted: bool = false;
let ratiosAt: usize = 0;
let centresAt: usize = 0;

export function beginTask(kind: i32, ratios: usize, centres: usize): void {
  task = kind;
  ratiosAt = ratios;
  centresAt = centres;
}

/** @param isInverted  whether the row at hand is the negated one, of the inverse ratio. */
export function beginRow(b: i32, isInverted: bool): void {
  row = b;
  inverted = isInverted;
}

/** Takes sigma_k / sigma_{k-1} = ratio exp(centre / T) of the row at hand, 0 where sigma_k = 0, and sets the weights. */
export function settleRatio(value: f64, about: f64): void {
  inclusionWeight = task === INCLUSION ? 1 : 0;
  ratioWeight = task === INCLUSION ? 0 : 1;
  wanted = task !== RATIO_ONLY;
  if (task === INCLUSION) return;
  const ratio = inverted && value !== 0 ? 1 / value : value;
  const centre = inverted ? -about : about;
  set(ratiosAt, row, ratio);
  set(centresAt, row, centre);
  if (task === WEIGHTED_GRADIENT) ratioWeight = rowWeight(row, ratio, centre);
}

/** Whether the row's gradient is 0, whatever the row. */
// @ts-ignore: decorator
@inline
export function vanishes(): bool {
  return inclusionWeight === 0 && ratioWeight === 0;
}
