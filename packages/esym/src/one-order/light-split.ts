/**
 * Which entries of a row are light: one pass over the row finds its largest entry and mean, and where those do not tell, a
 * histogram of log-values tells the k-th largest entry, the mass below it and how many entries any threshold makes heavy.
 *
 * With S the sum of all e but the k - 1 largest, k sigma_k >= sigma_{k-1} S: e_i k / S bounds e_i sigma_{k-1} / sigma_k. Here S is
 * bounded from below, entries from above.
 */
import type { ExponentialScale } from "../numbers/exponential.ts";
import { selectLargest } from "../numbers/selection.ts";
import { MOST_POWERS, roundUpPowers } from "./power-sums.ts";

/** e_i sigma_{k-1} / sigma_k of a light entry is at most this: where Newton's identities are proved stable. */
const LARGEST_LIGHT = 1 / 8;
/** Bins of half an octave: the last holds whatever is 2^-1000 of the largest entry and less. */
const BINS = 2000;
export const MOST_HEAVY = 512;
/** Up to this order the k largest entries are selected; above it a histogram is cheaper. */
const LARGEST_SELECTION = 8;

export interface RowSplit {
  /** Subtracted from every entry. */
  centre: number;
  /** Entries above this are heavy. */
  cut: number;
  /** How many there are, at least. */
  heavy: number;
  /** Entries that are selected as heavy: the k largest; 0 where `cut` tells the heavy ones. */
  selected: number;
  readonly values: Float64Array;
  readonly indices: Int32Array;
  /** Power sums to use. */
  count: number;
  /** A lower bound on S about the centre; negative where no entry is heavy and it is p_1 - (k - 1). */
  mass: number;
  readonly bins: Int32Array;
  /** An entry of each bin. */
  readonly example: Float64Array;
  readonly octaves: Float64Array;
}

export function splitRoom(): RowSplit {
  return {
    centre: 0,
    cut: Infinity,
    heavy: 0,
    selected: 0,
    values: new Float64Array(LARGEST_SELECTION),
    indices: new Int32Array(LARGEST_SELECTION),
    count: 0,
    mass: 0,
    bins: new Int32Array(BINS),
    example: new Float64Array(BINS),
    octaves: Float64Array.from({ length: BINS + 1 }, (_, b) => 2 ** (-b / 2)),
  };
}

/**
 * The number of power sums M for entries of at most theta, k theta^M <= u (M + 1) / 8, at most k; Infinity if too many.
 * k (1 + theta) theta^M / ((M + 1) (1 - theta)) bounds what the others change.
 */
function powersFor(theta: number, k: number): number {
  let m = Math.max(1, Math.floor(-56 / Math.log2(theta)) - 1);
  while (m < k && k * theta ** m > (m + 1) * 2 ** -56) m++;
  const count = roundUpPowers(Math.min(m, k));
  return count > MOST_POWERS ? Infinity : count;
}

/** @returns false where products are the better way. */
export function chooseSplit(split: RowSplit, x: Float64Array, n: number, k: number, scale: ExponentialScale): boolean {
  let largest = -Infinity;
  let sum = 0;
  let sum2 = 0;
  let i = 0;
  for (; i + 3 < n; i += 4) {
    const a = x[i];
    const b = x[i + 1];
    const c = x[i + 2];
    const d = x[i + 3];
    if (a > largest) largest = a;
    if (b > largest) largest = b;
    if (c > largest) largest = c;
    if (d > largest) largest = d;
    sum += a + b;
    sum2 += c + d;
  }
  for (; i < n; i++) {
    if (x[i] > largest) largest = x[i];
    sum += x[i];
  }
  sum += sum2;
  split.selected = 0;
  let present = n;
  if (sum === -Infinity) {
    sum = 0;
    present = 0;
    for (i = 0; i < n; i++) {
      if (x[i] > -Infinity) {
        sum += x[i];
        present++;
      }
    }
  }
  if (present <= k) return false;
  // By convexity sum e >= present exp(mean - largest): enough for rows that are nearly flat.
  const spread = (largest - sum / present) * scale.inverse;
  const theta = k / (present * Math.exp(-spread) * 0.999999 - (k - 1));
  if (theta > 0 && theta <= LARGEST_LIGHT) {
    const count = powersFor(theta, k);
    if (count <= 10 || spread < 1) {
      split.centre = largest;
      split.cut = Infinity;
      split.heavy = 0;
      split.count = count;
      split.mass = -1;
      return count < Infinity;
    }
  }
  if (k <= LARGEST_SELECTION) return chooseBySelection(split, x, n, k, scale, largest, present);
  return chooseByHistogram(split, x, n, k, scale, largest, present);
}

/**
 * The k largest entries are heavy and the k-th the centre. Whether others are too shows once their exponentials are known
 * ({@link boundBelowSelected}).
 */
function chooseBySelection(
  split: RowSplit,
  x: Float64Array,
  n: number,
  k: number,
  scale: ExponentialScale,
  largest: number,
  present: number,
): boolean {
  if (present < 16 * k) return false;
  const { values, indices } = split;
  selectLargest(x, n, k, values, indices);
  split.centre = values[k - 1];
  split.heavy = k;
  split.selected = k;
  return (largest - split.centre) * scale.inverse < 600;
}

/**
 * The e_i about the k-th largest entry from which an entry is heavy too; sets the mass and the number of power sums.
 *
 * @param rest  the sum of e_i of all but the k largest.
 */
export function boundBelowSelected(split: RowSplit, k: number, rest: number): number {
  split.mass = (1 + rest) * (1 - 2 ** -40);
  const bound = Math.min(1, (LARGEST_LIGHT * split.mass) / k);
  split.count = powersFor((bound * k) / split.mass, k);
  return bound;
}

function chooseByHistogram(
  split: RowSplit,
  x: Float64Array,
  n: number,
  k: number,
  scale: ExponentialScale,
  largest: number,
  present: number,
): boolean {
  const { bins, example, octaves } = split;
  const perBin = scale.steps / 64;
  bins.fill(0);
  for (let i = 0; i < n; i++) {
    const v = x[i];
    const t = (largest - v) * perBin;
    const b = t < BINS - 1 ? t | 0 : BINS - 1;
    bins[b]++;
    example[b] = v;
  }
  // The bin of the k-th largest entry.
  let kth = 0;
  let above = bins[0];
  while (above < k) above += bins[++kth];
  if (kth >= BINS - 1) return false;
  // S in units of exp(largest), from the lower edges of the bins.
  let mass = (above - (k - 1)) * octaves[kth + 1];
  for (let b = kth + 1; b < BINS - 1 && octaves[b] * n > mass * 2 ** -20; b++) mass += bins[b] * octaves[b + 1];
  mass *= 1 - 2 ** -40;
  // The first bin whose entries may be light, and the cheapest cut from there.
  const unit = k / mass;
  let cut = 0;
  let heavy = 0;
  while (octaves[cut] * unit > LARGEST_LIGHT) heavy += bins[cut++];
  let best = Infinity;
  let bestCut = -1;
  let bestHeavy = 0;
  let bestCount = 0;
  for (let tries = 0; tries < 24 && cut < BINS - 1 && heavy <= MOST_HEAVY; tries++) {
    const count = powersFor(octaves[cut] * unit, k);
    const cost = (present - heavy) * (6 + 0.9 * count) + 15 * heavy * Math.min(heavy, k);
    if (cost < best) {
      best = cost;
      bestCut = cut;
      bestHeavy = heavy;
      bestCount = count;
    }
    heavy += bins[cut++];
  }
  if (!(best < 8 * present * Math.min(k, present - k) + 6 * present)) return false;
  const centre = bestHeavy === 0 ? largest : example[kth];
  const shift = Math.exp((largest - centre) * scale.inverse);
  split.centre = centre;
  split.cut = bestCut === 0 ? Infinity : largest - bestCut / perBin;
  split.heavy = bestHeavy;
  split.count = bestCount;
  split.mass = mass * shift;
  return shift < 1e280;
}
