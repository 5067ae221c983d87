/**
 * Matrix products on flat arrays: C += A B with any strides.
 */
import type { Floats } from "./layout.ts";

/** A matrix in somebody's memory. */
export interface Matrix {
  readonly data: Floats;
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** c[m, n] += a[m, k] b[k, n]; c is row-major and contiguous from cOffset. */
export function gemm(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Float64Array, cOffset: number): void {
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const factor = a.data[a.offset + i * a.rowStride + l * a.columnStride];
      const row = cOffset + i * n;
      let at = b.offset + l * b.rowStride;
      for (let j = 0; j < n; j++, at += b.columnStride) c[row + j] += factor * b.data[at];
    }
  }
}
