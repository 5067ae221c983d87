/**
 * The oracle: elementary symmetric polynomials in log-space, their derivatives and the top-k losses, correctly
 * rounded to double or to any number of decimal digits.
 *
 * Every value is the one nearest to the exact mathematical function of the given doubles (ties to even, zeros +0):
 * interval arithmetic with MPFR, repeated with more bits until both ends round alike. Slow, and meant for judging
 * implementations. Needs the optional peer dependency gmp-wasm.
 */
import {
  checkFinite,
  checkLabel,
  checkLogValues,
  checkMargin,
  checkOrder,
  checkTemperature,
  selection,
} from "./oracle-border.ts";
import { Enclosures } from "./enclosures.ts";
import { inclusionProbabilities } from "./inclusion-probabilities.ts";
import { logEsp } from "./log-esp.ts";
import { logEspHvp } from "./log-esp-hvp.ts";
import { logEspRatio } from "./log-esp-ratio.ts";
import { logEspVjp } from "./log-esp-vjp.ts";
import { loadMpfr } from "./mpfr.ts";
import { type Rounding, toDigits, toDouble } from "./rounding.ts";
import { finiteEntries, type Row, scatter, selectedEntries } from "./row.ts";
import { smoothTopkLoss } from "./smooth-topk-loss.ts";
import { topkLoss } from "./topk-loss.ts";

export interface Selection {
  /** The gradient indices to compute, in this order; all of them if left out. Values do not depend on it. */
  readonly select?: ArrayLike<number> | undefined;
}

export interface TopkParameters {
  /** 1 <= k <= n - 1. Default 5. */
  readonly k?: number | undefined;
  /** Margin, finite. Default 1. */
  readonly alpha?: number | undefined;
}

export interface SmoothTopkParameters extends TopkParameters {
  /** Temperature, finite, > 0. Default 1. */
  readonly tau?: number | undefined;
}

export interface SmoothTopkValue<Value = number, Vector = Float64Array> extends LossAndGrad<Value, Vector> {
  /** The argument of the softplus; -Infinity where masking leaves fewer than k classes besides the label's. */
  readonly z: Value;
}

export interface LogEspRatioValue<Value = number, Vector = Float64Array> {
  readonly value: Value;
  /** Shape [n] or that of `select`. */
  readonly grad: Vector;
}

/** A loss and its gradient in the scores. */
export interface LossAndGrad<Value = number, Vector = Float64Array> {
  readonly loss: Value;
  /** Shape [n] or that of `select`; 0 for masked classes. */
  readonly grad: Vector;
}

/**
 * The functions of one row, each value correctly rounded: the double nearest to the exact result for the given
 * doubles, ties to even, zeros always +0.
 *
 * Rows are arrays or typed arrays of any length n, never mutated. An entry of -Infinity is not there: a removed entry,
 * a masked class. All throw RangeError naming the function, the argument, the index and the value, before anything is
 * computed. Time is O(n k) multiply-adds in arithmetic of 127 bits, times about 4 for each doubling of the bits that a
 * row needs.
 */
export interface OracleOf<Value, Vector> {
  /**
   * Logarithms of the elementary symmetric polynomials of exp(x): out[j] = log sigma_j(exp(x_1), ..., exp(x_n)).
   *
   * @param x  log-values, shape [n].
   * @param k  highest order, 0 <= k <= n.
   * @returns  shape [k + 1]; -Infinity where sigma_j = 0.
   */
  logEsp(x: ArrayLike<number>, k: number): Vector;

  /**
   * pi_i = d log sigma_k / d x_i = e_i sigma_{k-1}(e without i) / sigma_k(e): the probability that a k-subset A, drawn
   * with weight prod over A of e_i = exp(x_i), contains i.
   *
   * @param k  0 <= k <= n.
   * @returns  shape [n] or that of `select`; 0 for removed entries; NaN everywhere if sigma_k = 0.
   */
  inclusionProbabilities(x: ArrayLike<number>, k: number, options?: Selection): Vector;

  /**
   * The vector-Jacobian product of {@link logEsp}: g_i = sum over j of cotangent[j] d log sigma_j / d x_i.
   *
   * @param cotangent  shape [k + 1], finite. Orders with sigma_j = 0 contribute nothing.
   * @returns          shape [n] or that of `select`; 0 for removed entries.
   */
  logEspVjp(x: ArrayLike<number>, k: number, cotangent: ArrayLike<number>, options?: Selection): Vector;

  /**
   * The Hessian of log sigma_k times v: (H v)_i = Cov([i in A], sum over l in A of v_l) for A as in
   * {@link inclusionProbabilities}.
   *
   * @param v  shape [n], finite.
   * @returns  shape [n] or that of `select`; 0 for removed entries; NaN everywhere if sigma_k = 0.
   */
  logEspHvp(x: ArrayLike<number>, k: number, v: ArrayLike<number>, options?: Selection): Vector;

  /**
   * log sigma_k - log sigma_{k-1} and its gradient pi^(k) - pi^(k-1).
   *
   * @param k  1 <= k <= n.
   * @returns  value -Infinity if sigma_k = 0 < sigma_{k-1} and NaN if both are 0; the gradient is NaN everywhere then.
   */
  logEspRatio(x: ArrayLike<number>, k: number, options?: Selection): LogEspRatioValue<Value, Vector>;

  /**
   * The smooth top-k loss L = tau softplus(z), its gradient in the scores and z:
   * z = alpha / tau + log sigma_k(e without y) - log sigma_{k-1}(e without y) - s_y / (k tau), e_i = exp(s_i / (k tau)).
   *
   * k tau is the exact product of the two doubles, as is every other intermediate result.
   *
   * @param scores  shape [n].
   * @param label   the class y, an integer in [0, n - 1], not masked.
   * @returns       loss 0, gradient 0 and z -Infinity where masking leaves fewer than k classes besides y.
   *
   * Berrada, Zisserman, Kumar (2018), equations (9) and (14).
   */
  smoothTopkLoss(
    scores: ArrayLike<number>,
    label: number,
    parameters?: SmoothTopkParameters,
    options?: Selection,
  ): SmoothTopkValue<Value, Vector>;

  /**
   * The hard top-k loss l = max(0, alpha + (s_[k] - s_y) / k), s_[k] the k-th largest score besides the label's, and
   * the subgradient that the smooth gradient tends to as tau -> 0: 0 where l <= 0, else -1/k at the label and 1/k
   * shared equally between the classes tied at s_[k].
   *
   * The 1/k is the scale of the authors' code, missing from the paper's equation (3).
   *
   * @returns  loss 0 and gradient 0 where masking leaves fewer than k classes besides the label's.
   */
  topkLoss(
    scores: ArrayLike<number>,
    label: number,
    parameters?: TopkParameters,
    options?: Selection,
  ): LossAndGrad<Value, Vector>;

  /** The cross-entropy log(sum over i of exp(s_i)) - s_y and its gradient softmax(s) - [i = y]. */
  crossEntropy(scores: ArrayLike<number>, label: number, options?: Selection): LossAndGrad<Value, Vector>;

  /** Frees the oracle's memory; it is unusable afterwards. */
  destroy(): void;
}

/** Values as doubles: each the nearest to the exact result. */
export type Oracle = OracleOf<number, Float64Array>;

/** Values as decimal fractions: each the nearest of so many digits, however small; `"-Infinity"` and `"NaN"` as there. */
export type DecimalOracle = OracleOf<string, string[]>;

/** @throws Error if gmp-wasm is not installed. */
export async function createOracle(): Promise<Oracle> {
  return oracleOf(new Enclosures(await loadMpfr()), toDouble);
}

/**
 * @param digits  significant digits, at least 2; trailing zeros are left out.
 * @throws Error if gmp-wasm is not installed.
 *
 * @example
 * const oracle = await createDecimalOracle(40);
 * oracle.logEsp([0, 0, 0], 1)[1]; // "1.098612288668109691395245236922525704647"
 */
export async function createDecimalOracle(digits = 40): Promise<DecimalOracle> {
  return oracleOf(new Enclosures(await loadMpfr()), toDigits(digits));
}

function oracleOf<Value, Vector>(enclosures: Enclosures, rounding: Rounding<Value, Vector>): OracleOf<Value, Vector> {
  const zero = rounding.exact(0);
  const spread = (row: Row, n: number, values: ArrayLike<Value>, selected: Int32Array): Vector =>
    rounding.vector(scatter(row, n, values, selected, zero));
  const constant = (count: number, value: number): Vector =>
    rounding.vector(new Array<Value>(count).fill(rounding.exact(value)));
  return {
    logEsp(x, k) {
      checkLogValues("logEsp", "x", x);
      checkOrder("logEsp", k, 0, x.length, "n");
      return rounding.vector(logEsp(enclosures, rounding, finiteEntries(x), k));
    },

    inclusionProbabilities(x, k, { select } = {}) {
      const caller = "inclusionProbabilities";
      const n = x.length;
      checkLogValues(caller, "x", x);
      checkOrder(caller, k, 0, n, "n");
      const selected = selection(caller, select, n);
      const row = finiteEntries(x);
      if (k > row.x.length) return constant(selected.length, NaN);
      if (k === 0) return constant(selected.length, 0);
      return spread(
        row,
        n,
        inclusionProbabilities(enclosures, rounding, row, k, selectedEntries(row, n, selected)),
        selected,
      );
    },

    logEspVjp(x, k, cotangent, { select } = {}) {
      const n = x.length;
      checkLogValues("logEspVjp", "x", x);
      checkOrder("logEspVjp", k, 0, n, "n");
      checkFinite("logEspVjp", "cotangent", cotangent, k + 1);
      const selected = selection("logEspVjp", select, n);
      const row = finiteEntries(x);
      return spread(
        row,
        n,
        logEspVjp(enclosures, rounding, row, cotangent, selectedEntries(row, n, selected)),
        selected,
      );
    },

    logEspHvp(x, k, v, { select } = {}) {
      const n = x.length;
      checkLogValues("logEspHvp", "x", x);
      checkOrder("logEspHvp", k, 0, n, "n");
      checkFinite("logEspHvp", "v", v, n);
      const selected = selection("logEspHvp", select, n);
      const row = finiteEntries(x);
      if (k > row.x.length) return constant(selected.length, NaN);
      if (k === 0) return constant(selected.length, 0);
      const direction = Float64Array.from(row.indices, (i) => v[i]);
      const product = logEspHvp(enclosures, rounding, row, k, direction, selectedEntries(row, n, selected));
      return spread(row, n, product, selected);
    },

    logEspRatio(x, k, { select } = {}) {
      const n = x.length;
      checkLogValues("logEspRatio", "x", x);
      checkOrder("logEspRatio", k, 1, n, "n");
      const selected = selection("logEspRatio", select, n);
      const row = finiteEntries(x);
      if (k > row.x.length) {
        const value = rounding.exact(k === row.x.length + 1 ? -Infinity : NaN);
        return { value, grad: constant(selected.length, NaN) };
      }
      const values = logEspRatio(enclosures, rounding, row, k, selectedEntries(row, n, selected));
      return { value: values[0], grad: spread(row, n, values.slice(1), selected) };
    },

    smoothTopkLoss(scores, label, { k = 5, tau = 1, alpha = 1 } = {}, { select } = {}) {
      const caller = "smoothTopkLoss";
      checkOrder(caller, k, 1, scores.length, "n - 1");
      checkTemperature(caller, tau);
      checkMargin(caller, alpha);
      const { row, wanted, gather } = lossRow(rounding, caller, scores, label, select);
      if (k > row.x.length) return { ...gather(), z: rounding.exact(-Infinity) };
      const values = smoothTopkLoss(enclosures, rounding, row, scores[label], k, tau, alpha, wanted);
      return { ...gather(values[0], values[2], values.slice(3)), z: values[1] };
    },

    topkLoss(scores, label, { k = 5, alpha = 1 } = {}, { select } = {}) {
      checkOrder("topkLoss", k, 1, scores.length, "n - 1");
      checkMargin("topkLoss", alpha);
      const { row, gather } = lossRow(rounding, "topkLoss", scores, label, select);
      if (k > row.x.length) return gather();
      const values = topkLoss(enclosures, rounding, row, scores[label], k, alpha);
      return gather(values[0], values[1], values.slice(2));
    },

    crossEntropy(scores, label, { select } = {}) {
      const { row, wanted, gather } = lossRow(rounding, "crossEntropy", scores, label, select);
      if (row.x.length === 0) return gather();
      const values = smoothTopkLoss(enclosures, rounding, row, scores[label], 1, 1, 0, wanted);
      return gather(values[0], values[2], values.slice(3));
    },

    destroy() {
      enclosures.destroy();
    },
  };
}

/** The other classes of a loss's row, and how its results go back to all classes. */
function lossRow<Value, Vector>(
  rounding: Rounding<Value, Vector>,
  caller: string,
  scores: ArrayLike<number>,
  label: number,
  select: ArrayLike<number> | undefined,
): {
  row: Row;
  wanted: Uint8Array;
  /** Without arguments, all 0. */
  gather: (loss?: Value, labelGrad?: Value, others?: readonly Value[]) => LossAndGrad<Value, Vector>;
} {
  const n = scores.length;
  checkLogValues(caller, "scores", scores);
  checkLabel(caller, scores, label);
  const selected = selection(caller, select, n);
  const row = finiteEntries(scores, label);
  const zero = rounding.exact(0);
  return {
    row,
    wanted: selectedEntries(row, n, selected),
    gather: (loss = zero, labelGrad = zero, others = Array.from(row.x, () => zero)) => {
      const grad = scatter(row, n, others, selected, zero);
      selected.forEach((i, at) => {
        if (i === label) grad[at] = labelGrad;
      });
      return { loss, grad: rounding.vector(grad) };
    },
  };
}
