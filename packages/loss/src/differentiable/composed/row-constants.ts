/**
 * Constants that go with the rows of scores: the label's column, and -Infinity for classes that are left out.
 */
import { reshape, takeAlongAxis, type Tensor } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";

/** s_y of each row: [m, n] -> [m]. */
export function ownScores(rows: Tensor, labels: Int32Array): Tensor {
  const m = labels.length;
  return reshape(takeAlongAxis(rows, ndarray(labels, [m, 1]), 1), [m]);
}

/** To be added to scores: -Infinity, which removes a class, where `without` says so, else 0. */
export function mask(m: number, n: number, without: (row: number, column: number) => boolean): NdArray {
  const data = Float64Array.from({ length: m * n }, (_, at) => (without(Math.floor(at / n), at % n) ? -Infinity : 0));
  return ndarray(data, [m, n]);
}
