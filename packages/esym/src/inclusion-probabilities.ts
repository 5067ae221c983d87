/**
 * Inclusion probabilities: the gradient of log sigma_k.
 */
import type { NdArray } from "ndarray";
import { type ArrayLike2d, checkedRows, copyRow, wrap } from "./border.ts";
import { inclusionOfRow, inclusionWorkspace } from "./one-order/inclusion.ts";

/**
 * Inclusion probabilities of the k-subset distribution, the gradient of log sigma_k:
 * pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)); sum_i pi_i = k.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k  subset size, 0 <= k <= n.
 * @returns  the shape of x; 0 for removed entries, NaN throughout a row with sigma_k = 0, which has no distribution.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Every entry above 1e-280 has a relative error below 64 k u (u = 2^-53). O(nk) time.
 *
 * @example
 * ```ts
 * import { inclusionProbabilities } from "@smooth-topk/esym";
 *
 * console.log(inclusionProbabilities([2, 1, 0, -1], 2)); // they sum to 2: 0.8808, 0.6944, 0.3056, 0.1192
 * ```
 */
export function inclusionProbabilities(x: ArrayLike2d, k: number): NdArray<Float64Array> {
  const rows = checkedRows("inclusionProbabilities", x, k, 0);
  const { batch, n } = rows;
  const out = new Float64Array(batch * n);
  if (k > 0) {
    const row = new Float64Array(n);
    const work = inclusionWorkspace(n, k);
    for (let b = 0; b < batch; b++) {
      copyRow(rows, b, row);
      if (!inclusionOfRow(work, row, out, b * n)) out.fill(NaN, b * n, (b + 1) * n);
    }
  }
  return wrap(out, rows, n);
}
