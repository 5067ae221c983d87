/**
 * The functions of a backend: log sigma, inclusion probabilities, log-ratios with their gradients. A row that single
 * precision does not hold is the reference's, in double precision on the host.
 */
import {
  emptyPartial,
  espPartial,
  inclusionProbabilities,
  logEsp,
  logEspOfPartial,
  logEspRatio,
} from "@smooth-topk/esym";
import { copyRow, exponentialScale, type RatioArguments, type Rows, UNIT_SCALE } from "@smooth-topk/esym/kernel";
import { largest } from "./centre.ts";
import type { ProgramCache } from "./program-cache.ts";
import { eachRow } from "./row-blocks.ts";

/** A copy of row b. */
function rowOf(rows: Rows, b: number): Float64Array {
  const row = new Float64Array(rows.n);
  copyRow(rows, b, row);
  return row;
}

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
      logs(b).set(logEspOfPartial(partial).data);
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
    onHost(b) {
      cache.rowsOnHost++;
      logs(b).set(logEsp(rowOf(rows, b), k).data);
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

/** Inclusion probabilities of each row. */
export async function inclusionRows(cache: ProgramCache, rows: Rows, k: number): Promise<Float64Array> {
  const { batch, n } = rows;
  const grad = new Float64Array(batch * n);
  const empty = new Uint8Array(batch);
  await eachRow(cache, "inclusion", rows, k, UNIT_SCALE, grad, {
    centred(centre, b) {
      empty[b] = centre === null ? 1 : 0;
    },
    after(_result, b) {
      if (empty[b] === 1) grad.fill(NaN, b * n, (b + 1) * n);
    },
    onHost(b) {
      cache.rowsOnHost++;
      grad.set(inclusionProbabilities(rowOf(rows, b), k).data, b * n);
    },
  });
  return grad;
}

// One function for each kind of array: the engine compiles a loop over both to one several times slower.

function scaleSingle(values: Float32Array, from: number, to: number, factor: number): void {
  for (let at = from; at < to; at++) values[at] *= factor;
}

function scaleDouble(values: Float64Array, from: number, to: number, factor: number): void {
  for (let at = from; at < to; at++) values[at] *= factor;
}

/** The two parts of each row's log-ratio. */
export interface RatioParts {
  readonly ratio: Float64Array;
  readonly centre: Float64Array;
}

/** log sigma_k - log sigma_{k-1} of each row in two parts; the weighted gradients go to the arguments' buffer. */
export async function ratioRows(
  cache: ProgramCache,
  { rows, temperature, leftOut, rowWeight, grad }: RatioArguments,
  k: number,
): Promise<RatioParts> {
  const { batch, n } = rows;
  const ratio = new Float64Array(batch);
  const centre = new Float64Array(batch);
  const finish = (b: number, found: boolean): void => {
    if (grad === null) return;
    const weight = rowWeight === null ? 1 : rowWeight(b, ratio[b], centre[b]);
    const [from, to] = [b * n, (b + 1) * n];
    if (weight === 0) grad.fill(0, from, to);
    else if (!found) grad.fill(NaN, from, to);
    else if (grad instanceof Float32Array) scaleSingle(grad, from, to, weight);
    else scaleDouble(grad, from, to, weight);
  };
  await eachRow(cache, "ratio", rows, k, exponentialScale(temperature), grad, {
    before(row, b) {
      if (leftOut !== null && leftOut[b] >= 0) row[leftOut[b]] = -Infinity;
    },
    centred(c, b) {
      centre[b] = c ?? NaN;
    },
    after(result, b, at) {
      const found = !Number.isNaN(centre[b]);
      if (found) ratio[b] = Math.exp(result.ratio(at));
      else centre[b] = 0;
      finish(b, found);
    },
    onHost(b) {
      cache.rowsOnHost++;
      const row = rowOf(rows, b);
      const of = { temperature, ...(leftOut === null ? {} : { leftOut: [leftOut[b]] }) };
      const found = logEspRatio(row, k, of);
      ratio[b] = found.ratio.get(0);
      centre[b] = found.centre.get(0);
      grad?.set(found.grad.data, b * n);
      finish(b, ratio[b] > 0);
    },
  });
  return { ratio, centre };
}
