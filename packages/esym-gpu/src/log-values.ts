/**
 * The three functions of a backend: log sigma, inclusion probabilities, log-ratios with their gradients.
 */
import { emptyPartial, espPartial, logEspOfPartial } from "@smooth-topk/esym";
import { type Rows, UNIT_SCALE } from "@smooth-topk/esym/kernel";
import { largest } from "./centre.ts";
import type { ProgramCache } from "./program-cache.ts";
import { eachRow } from "./row-blocks.ts";

/**
 * log sigma_0..k. The k largest entries are multiplied in here, in double precision and with logarithms, because
 * sigma_j of all j <= k spans any range; of the other entries, on the device, every coefficient is near 1 or negligible.
 */
export async function logEspRows(cache: ProgramCache, rows: Rows, k: number): Promise<Float64Array> {
  const out = new Float64Array(rows.batch * (k + 1));
  if (k === 0) return out;
  const centres = new Float64Array(rows.batch);
  const logs = (b: number): Float64Array => out.subarray(b * (k + 1), (b + 1) * (k + 1));
  const rest = new Float64Array(k + 1);
  await eachRow(cache, "polynomial", rows, k, UNIT_SCALE, null, {
    before(row, b) {
      const { values, count } = largest(row, rows.n, k);
      const partial = count === 0 ? emptyPartial(k) : espPartial(values.slice(0, count), k);
      logs(b).set(logEspOfPartial(partial));
    },
    centred(centre, b) {
      centres[b] = centre ?? NaN;
    },
    after({ coefficient }, b, at) {
      // Fewer than k entries: they are all multiplied in.
      if (Number.isNaN(centres[b])) return;
      for (let j = 0; j <= k; j++) rest[j] = Math.log(coefficient(at, j)) + j * centres[b];
      multiplyLogs(logs(b), rest);
    },
  });
  return out;
}

/** a = a times b, truncated, in logarithms; from the highest coefficient down, so in place. */
function multiplyLogs(a: Float64Array, b: Float64Array): void {
  for (let j = a.length - 1; j >= 0; j--) {
    let top = -Infinity;
    for (let i = 0; i <= j; i++) top = Math.max(top, a[j - i] + b[i]);
    if (top === -Infinity) continue;
    let sum = 0;
    for (let i = 0; i <= j; i++) sum += Math.exp(a[j - i] + b[i] - top);
    a[j] = top + Math.log(sum);
  }
}

/** log sigma_k - log sigma_{k-1} of each row, and the derivative that the task names. */
export async function derivativeRows(
  cache: ProgramCache,
  task: "inclusion" | "ratio",
  rows: Rows,
  k: number,
): Promise<{ value: Float64Array; grad: Float64Array }> {
  const { batch, n } = rows;
  const value = new Float64Array(batch);
  const grad = new Float64Array(batch * n);
  await eachRow(cache, task, rows, k, UNIT_SCALE, grad, {
    centred(centre, b) {
      value[b] = centre ?? -Infinity;
    },
    after({ ratio }, b, at) {
      if (value[b] === -Infinity) grad.fill(NaN, b * n, (b + 1) * n);
      else value[b] += ratio(at);
    },
  });
  return { value, grad };
}
