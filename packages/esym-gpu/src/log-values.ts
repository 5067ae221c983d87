/**
 * The three functions of a backend: log sigma, inclusion probabilities, log-ratios with their gradients.
 */
import { emptyPartial, espPartial, logEspOfPartial } from "@smooth-topk/esym";
import { copyRow, type Rows } from "@smooth-topk/esym/kernel";
import { centreOf, countAbove, largest } from "./centre.ts";
import type { ProgramCache } from "./program-cache.ts";
import { eachBlock } from "./row-blocks.ts";

/** Argument of a class that is not there: its factor is 1. */
const REMOVED = -1e30;

/** out[at..at + width) = (x - centre) / T, rounded once to single precision. */
export function writeArguments(
  x: Float64Array,
  centre: number,
  inverse: number,
  out: Float32Array,
  at: number,
  width: number,
): void {
  const n = x.length;
  for (let i = 0; i < n; i++) out[at + i] = Math.max((x[i] - centre) * inverse, REMOVED);
  out.fill(REMOVED, at + n, at + width);
}

/** A row that has fewer than k entries: nothing on the device counts. */
export function writeNothing(out: Float32Array, at: number, width: number): void {
  out.fill(REMOVED, at, at + width);
}

/**
 * log sigma_0..k. The k largest entries are multiplied in here, in double precision and with logarithms, because
 * sigma_j of all j <= k spans any range; of the other entries, on the device, every coefficient is near 1 or negligible.
 */
export async function logEspRows(cache: ProgramCache, rows: Rows, k: number): Promise<Float64Array> {
  const { batch, n } = rows;
  const out = new Float64Array(batch * (k + 1));
  if (k === 0) return out;
  const row = new Float64Array(n);
  const centres = new Float64Array(batch);
  await eachBlock(
    cache,
    "polynomial",
    batch,
    n,
    k,
    ({ from, rows: count, compiled: { x, shape } }) => {
      for (let b = 0; b < count; b++) {
        copyRow(rows, from + b, row);
        const top = largest(row, n, k);
        const entries = top.values.subarray(0, top.count);
        const partial = top.count === 0 ? emptyPartial(k) : espPartial(entries, k);
        const logs = out.subarray((from + b) * (k + 1), (from + b + 1) * (k + 1));
        logs.set(logEspOfPartial(partial));
        if (top.count < k) {
          writeNothing(x, b * shape.width, shape.width);
          continue;
        }
        for (let g = 0; g < k; g++) row[top.indices[g]] = -Infinity;
        centres[from + b] = centreOf(row, n, k, top, 0, 1);
        writeArguments(row, centres[from + b], 1, x, b * shape.width, shape.width);
      }
    },
    ({ from, rows: count }, { full, stride }) => {
      const rest = new Float64Array(k + 1);
      for (let b = 0; b < count; b++) {
        for (let j = 0; j <= k; j++) rest[j] = Math.log(full[b * stride + j]) + j * centres[from + b];
        multiplyLogs(out.subarray((from + b) * (k + 1), (from + b + 1) * (k + 1)), rest);
      }
    },
  );
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
  const row = new Float64Array(n);
  await eachBlock(
    cache,
    task,
    batch,
    n,
    k,
    ({ from, rows: count, compiled: { x, shape } }) => {
      for (let b = 0; b < count; b++) {
        copyRow(rows, from + b, row);
        const top = largest(row, n, k);
        if (top.count < k) {
          value[from + b] = -Infinity;
          writeNothing(x, b * shape.width, shape.width);
          continue;
        }
        value[from + b] = centreOf(row, n, k, top, countAbove(top, k), 1);
        writeArguments(row, value[from + b], 1, x, b * shape.width, shape.width);
      }
    },
    ({ from, rows: count }, { full, stride, derivative, width }) => {
      for (let b = 0; b < count; b++) {
        const at = (from + b) * n;
        if (value[from + b] === -Infinity) {
          grad.fill(NaN, at, at + n);
          continue;
        }
        value[from + b] += Math.log(full[b * stride + k] / full[b * stride + k - 1]);
        grad.set(derivative.subarray(b * width, b * width + n), at);
      }
    },
  );
  return { value, grad };
}
