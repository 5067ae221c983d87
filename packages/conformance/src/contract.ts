/**
 * The accuracy contract: how far each result of a port may be from the exact one, by precision.
 *
 * | result | float64 | float32 |
 * | --- | --- | --- |
 * | log_sigma | 8 u max(1, abs(value)) | 64 u max(1, abs(value)) |
 * | inclusion | 64 k u relative | 1e-3 relative and 1e-5 of the row's largest |
 * | loss | (8 + abs(z)) u relative where z < 0, (8 + min(1, z)) u elsewhere | 1e-5 relative |
 * | grad | 64 k u relative | 1e-3 relative and 1e-5 of the row's largest |
 * | hvp | 64 k u H_ii (max v - min v) | 1e-3 of that scale and 1e-4 of its largest in the row |
 * | loss of the hard SVM | 4 u (abs(alpha) + abs(s_[k] - s_y) / k) | the same |
 * | grad of the hard SVM | 2 u relative | the same |
 *
 * Why these. A port evaluates sums and products of positive terms, each rounded a few times per order: 64 k u. The loss
 * tau log(1 + e^z) is no better than the rounding of z, which is abs(z) u: relative to the loss abs(z) w u with
 * w = e^z / ((1 + e^z) log(1 + e^z)) < 1, as log(1 + x) > x / (1 + x). Far below 0 w is 1, and abs(z) real. Above 0
 * log(1 + e^z) > z, hence z w < 1: near the largest double, as at z = 1, one rounding. (H v)_i = H_ii (E[S | i in A] - E[S | i not in A]) with S the sum of
 * v over the subset A; the two expectations differ by at most max v - min v, because the subsets with and without i can
 * be coupled to differ in one swap. The hard loss is two subtractions, a division and an addition of terms up to
 * abs(alpha) and abs(s_[k] - s_y) / k: four roundings. Its gradient is 1 / (k t): a division, or two.
 *
 * bfloat16 (u = 2^-8): inputs and results have 8 bits, arithmetic does not. A port computes in single precision or
 * better and rounds each result once, so it may be off by one u relative (of max(1, abs(value)) for log_sigma) on top of
 * the single-precision tolerance. Arithmetic in bfloat16 itself is outside.
 *
 * Results below the floor (1e-280, 1e-30 in float32 and bfloat16) have lost digits to underflow: what is returned for
 * them must be below twice the floor. A tolerance is a fraction of a scale, both given here.
 */
import { type Dtype, FLOOR, UNIT } from "./dtypes.ts";
import type { EspInput, LossInput, TestCase } from "./vectors/vector-file.ts";
import { fromJson, numbersOf } from "./vectors/vector-file.ts";

/** What one number of a row may be: within `allowed` u of `expected`, relative to `scale`. */
export interface Tolerance {
  readonly scale: number;
  /** In units of u; 0 where the value is exact. */
  readonly allowed: number;
}

/** The tolerances of one row of a result. */
export type RowContract = (expected: readonly number[], row: number) => readonly Tolerance[];

const below = (dtype: Dtype): Tolerance => ({ scale: (2 * FLOOR[dtype]) / UNIT[dtype], allowed: 1 });

/**
 * Tolerances of a result by its name in the output.
 *
 * @param test  a case with expected results.
 */
export function contractOf(test: TestCase, dtype: Dtype): Readonly<Record<string, RowContract>> {
  if ("scores" in test.input) {
    return test.input.tau === undefined ? hardLoss(test.input) : smoothLoss(test.input, dtype);
  }
  return "v" in test.input ? hvp(test, dtype) : logEsp(test.input, dtype);
}

/** A tolerance in single precision, with the rounding of the result where that is bfloat16. */
function single(dtype: Dtype, scale: number, fraction: number): Tolerance {
  return { scale, allowed: fraction / UNIT[dtype] + (dtype === "bfloat16" ? 1 : 0) };
}

/** 64 k u in double precision; 1e-3 and `ofLargest` of the row's largest scale in single. */
function relative(dtype: Dtype, k: number, scales: readonly number[], ofLargest: number): readonly Tolerance[] {
  const largest = Math.max(...scales);
  return scales.map((scale) => {
    if (scale < FLOOR[dtype]) return below(dtype);
    if (dtype === "float64") return { scale, allowed: 64 * k };
    return single(dtype, scale, Math.min(1e-3, (ofLargest * largest) / scale));
  });
}

function logEsp(input: EspInput, dtype: Dtype): Record<string, RowContract> {
  const k = fromJson(input.k) ?? NaN;
  return {
    log_sigma: (expected) =>
      expected.map((value) => {
        const scale = Math.max(1, Math.abs(value));
        return dtype === "float64" ? { scale, allowed: 8 } : single(dtype, scale, 64 * UNIT.float32);
      }),
    inclusion: (expected) => relative(dtype, Math.max(1, k), expected, 1e-5),
  };
}

function smoothLoss(input: LossInput, dtype: Dtype): Record<string, RowContract> {
  const k = fromJson(input.k) ?? NaN;
  const tau = fromJson(input.tau) ?? NaN;
  return {
    loss: ([loss]) => {
      if (loss < FLOOR[dtype]) return [below(dtype)];
      if (dtype !== "float64") return [single(dtype, loss, 1e-5)];
      const z = softplusArgument(loss, tau);
      return [{ scale: loss, allowed: 8 + (z < 0 ? -z : Math.min(1, z)) }];
    },
    grad: (expected) => relative(dtype, k, expected.map(Math.abs), 1e-5),
  };
}

/** z from loss = tau log(1 + e^z), also where loss / tau underflows. */
function softplusArgument(loss: number, tau: number): number {
  const value = loss / tau;
  if (value < 1e-300) return Math.log(loss) - Math.log(tau);
  return value > 1 ? value + Math.log1p(-Math.exp(-value)) : Math.log(Math.expm1(value));
}

function hardLoss(input: LossInput): Record<string, RowContract> {
  const k = fromJson(input.k) ?? NaN;
  const alpha = fromJson(input.alpha) ?? NaN;
  return {
    loss: (_, b) => {
      const scores = numbersOf(input.scores[b]);
      const label = fromJson(input.labels[b]) ?? NaN;
      const kth = scores.toSpliced(label, 1).sort((p, q) => q - p)[k - 1];
      const size = Math.abs(alpha) + Math.abs(kth - scores[label]) / k;
      return [{ scale: Number.isFinite(size) ? size : 0, allowed: 4 }];
    },
    grad: (expected) => expected.map((value) => ({ scale: Math.abs(value), allowed: 2 })),
  };
}

function hvp(test: TestCase, dtype: Dtype): Record<string, RowContract> {
  const { k, x, v = [] } = test.input as EspInput;
  return {
    hvp: (_, b) => {
      // The direction at removed entries does not count.
      const direction = numbersOf(v[b]).filter((__, i) => x[b][i] !== "-Infinity");
      const span = Math.max(...direction) - Math.min(...direction);
      const scales = numbersOf(test.variance?.[b] ?? []).map((variance) => variance * span);
      return relative(dtype, Math.max(1, fromJson(k) ?? NaN), scales, 1e-4);
    },
  };
}
