/**
 * The centre of a row, on the host in double precision: the device sees (x - centre) / T, rounded once.
 *
 * About the k-th largest entry coefficient k is at least 1 and at most C(n, k). Where that may pass what single precision
 * holds, the centre moves up by theta T ("tilt") until the Poisson-binomial distribution with probabilities
 * logistic((x_i - c) / T) has a mean of at most min(k, 70) and the product of all 1 + v_i, the sum of all coefficients,
 * is at most e^87. The mean alone would not do: at probabilities of 1/2 the sum is e^(1.39 mean). docs/gpu.md, section 2.
 */
import { selectLargest } from "@smooth-topk/esym/kernel";

/** Highest order: beyond it coefficient k may leave the range of single precision. */
export const HIGHEST_ORDER = 200;

/** k (1 + ln(n / k)) >= ln C(n, k): e^70 leaves room for sums. */
const LARGEST_LOG_BINOMIAL = 70;
const LARGEST_MEAN = 70;
/** Of the histogram, which places an entry up to 1 / 8 too low: at a mean of 70, 9 below the sum itself. */
const LARGEST_LOG_SUM = 78;

/** The histogram that the tilt is computed from: bins of 1 / 4 of T, down to e^-32 of the k-th largest entry. */
const BINS_PER_UNIT = 4;
const BINS = 128;
const bins = new Float64Array(BINS);
/** exp(-distance) at the middle of each bin. */
const binValues: Float64Array = Float64Array.from({ length: BINS }, (_, b) => Math.exp(-(b + 0.5) / BINS_PER_UNIT));

let values = new Float64Array(0);
let indices = new Int32Array(0);

/** The k largest entries of the last row, in descending order, and their indices. */
export interface Top {
  readonly values: Float64Array;
  readonly indices: Int32Array;
  readonly count: number;
}

/** The k largest entries of a row; the arrays are used again by the next call. */
export function largest(x: Float64Array, n: number, k: number): Top {
  if (values.length < k) {
    values = new Float64Array(k);
    indices = new Int32Array(k);
  }
  return { values, indices, count: selectLargest(x, n, k, values, indices) };
}

/** How many of the k largest entries lie above the k-th. */
export function countAbove(top: Top, k: number): number {
  let above = 0;
  while (top.values[above] > top.values[k - 1]) above++;
  return above;
}

/**
 * The centre of the entries up to the k-th largest and of the first `above` entries of the list.
 *
 * @param inverse  1 / T.
 */
export function centreOf(x: Float64Array, n: number, k: number, top: Top, above: number, inverse: number): number {
  const kth = top.values[k - 1];
  if (k * (1 + Math.log(n / k)) <= LARGEST_LOG_BINOMIAL) return kth;
  bins.fill(0);
  for (let i = 0; i < n; i++) {
    const bin = (kth - x[i]) * inverse * BINS_PER_UNIT;
    // Entries above the k-th largest are taken from the list.
    if (bin >= 0 && bin < BINS) bins[Math.floor(bin)]++;
  }
  const target = Math.min(k - 0.5, LARGEST_MEAN);
  let low = 0;
  let high = Math.log(n) + 1;
  if (isWithin(target, low, kth, above, top, inverse)) return kth;
  while (high - low > 0.05) {
    const middle = (low + high) / 2;
    if (!isWithin(target, middle, kth, above, top, inverse)) low = middle;
    else high = middle;
  }
  return kth + high / inverse;
}

/** Whether the mean sum_i logistic((x_i - kth) / T - theta) and the sum of coefficients are, by the histogram. */
function isWithin(target: number, theta: number, kth: number, above: number, top: Top, inverse: number): boolean {
  const lambda = Math.exp(-theta);
  let mean = 0;
  let logSum = 0;
  for (let b = 0; b < BINS; b++) {
    const e = lambda * binValues[b];
    mean += (bins[b] * e) / (1 + e);
    logSum += bins[b] * Math.log1p(e);
  }
  for (let g = 0; g < above; g++) {
    const t = (top.values[g] - kth) * inverse - theta;
    mean += 1 / (1 + Math.exp(-t));
    logSum += Math.log1p(Math.exp(-Math.abs(t)));
  }
  return mean <= target && logSum <= LARGEST_LOG_SUM;
}
