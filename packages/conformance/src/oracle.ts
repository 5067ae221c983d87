/**
 * The oracle: elementary symmetric polynomials in log-space, their derivatives and the top-k losses, correctly
 * rounded to double.
 *
 * Every value is the double nearest to the exact mathematical function of the given doubles (ties to even, zeros +0):
 * interval arithmetic with MPFR, repeated with more bits until both ends round alike. Slow, and meant for judging
 * implementations. Needs the optional peer dependency gmp-wasm.
 */
import { checkFinite, checkLabel, checkLogValues, checkMargin, checkOrder, checkTemperature, selection } from "./border.ts";
import { Enclosures } from "./enclosures.ts";
import { inclusionProbabilities } from "./inclusion-probabilities.ts";
import { logEsp } from "./log-esp.ts";
import { logEspHvp } from "./log-esp-hvp.ts";
import { logEspRatio } from "./log-esp-ratio.ts";
import { logEspVjp } from "./log-esp-vjp.ts";
import { loadMpfr } from "./mpfr.ts";
import { finiteEntries, scatter, selectedEntries } from "./row.ts";
import { smoothTopkSvm } from "./smooth-topk-svm.ts";

export interface Selection {
  /** The gradient indices to compute, in this order; all of them if left out. Values do not depend on it. */
  readonly select?: ArrayLike<number> | undefined;
}

export interface SmoothTopkParameters {
  /** 1 <= k <= n - 1. Default 5. */
  readonly k?: number | undefined;
  /** Temperature, finite, > 0. Default 1. */
  readonly tau?: number | undefined;
  /** Margin, finite. Default 1. */
  readonly alpha?: number | undefined;
}

export interface SmoothTopkValue {
  readonly loss: number;
  /** dL/ds, shape [n] or that of `select`. */
  readonly grad: Float64Array;
  /** The argument of the softplus; -Infinity where masking leaves fewer than k classes besides the label's. */
  readonly z: number;
}

export interface LogEspRatioValue {
  readonly value: number;
  /** Shape [n] or that of `select`. */
  readonly grad: Float64Array;
}

/** All rows are plain arrays or typed arrays of doubles, never mutated. */
export interface Oracle {
  logEsp(x: ArrayLike<number>, k: number): Float64Array;
  inclusionProbabilities(x: ArrayLike<number>, k: number, options?: Selection): Float64Array;
  logEspVjp(x: ArrayLike<number>, k: number, cotangent: ArrayLike<number>, options?: Selection): Float64Array;
  logEspHvp(x: ArrayLike<number>, k: number, v: ArrayLike<number>, options?: Selection): Float64Array;
  logEspRatio(x: ArrayLike<number>, k: number, options?: Selection): LogEspRatioValue;
  smoothTopkSvm(
    scores: ArrayLike<number>,
    label: number,
    parameters?: SmoothTopkParameters,
    options?: Selection,
  ): SmoothTopkValue;
  /** Frees the oracle's memory; it is unusable afterwards. */
  destroy(): void;
}

/** @throws Error if gmp-wasm is not installed. */
export async function createOracle(): Promise<Oracle> {
  const enclosures = new Enclosures(await loadMpfr());
  return {
    logEsp(x, k) {
      checkLogValues("logEsp", "x", x);
      checkOrder("logEsp", k, 0, x.length, "n");
      return logEsp(enclosures, finiteEntries(x), k);
    },

    inclusionProbabilities(x, k, { select } = {}) {
      const caller = "inclusionProbabilities";
      const n = x.length;
      checkLogValues(caller, "x", x);
      checkOrder(caller, k, 0, n, "n");
      const selected = selection(caller, select, n);
      const row = finiteEntries(x);
      if (k > row.x.length) return new Float64Array(selected.length).fill(NaN);
      if (k === 0) return new Float64Array(selected.length);
      return scatter(row, n, inclusionProbabilities(enclosures, row, k, selectedEntries(row, n, selected)), selected);
    },

    logEspVjp(x, k, cotangent, { select } = {}) {
      const n = x.length;
      checkLogValues("logEspVjp", "x", x);
      checkOrder("logEspVjp", k, 0, n, "n");
      checkFinite("logEspVjp", "cotangent", cotangent, k + 1);
      const selected = selection("logEspVjp", select, n);
      const row = finiteEntries(x);
      return scatter(row, n, logEspVjp(enclosures, row, cotangent, selectedEntries(row, n, selected)), selected);
    },

    logEspHvp(x, k, v, { select } = {}) {
      const n = x.length;
      checkLogValues("logEspHvp", "x", x);
      checkOrder("logEspHvp", k, 0, n, "n");
      checkFinite("logEspHvp", "v", v, n);
      const selected = selection("logEspHvp", select, n);
      const row = finiteEntries(x);
      if (k > row.x.length) return new Float64Array(selected.length).fill(NaN);
      if (k === 0) return new Float64Array(selected.length);
      const direction = Float64Array.from(row.indices, (i) => v[i]);
      const product = logEspHvp(enclosures, row, k, direction, selectedEntries(row, n, selected));
      return scatter(row, n, product, selected);
    },

    logEspRatio(x, k, { select } = {}) {
      const n = x.length;
      checkLogValues("logEspRatio", "x", x);
      checkOrder("logEspRatio", k, 1, n, "n");
      const selected = selection("logEspRatio", select, n);
      const row = finiteEntries(x);
      if (k > row.x.length) {
        const value = k === row.x.length + 1 ? -Infinity : NaN;
        return { value, grad: new Float64Array(selected.length).fill(NaN) };
      }
      const values = logEspRatio(enclosures, row, k, selectedEntries(row, n, selected));
      return { value: values[0], grad: scatter(row, n, values.subarray(1), selected) };
    },

    smoothTopkSvm(scores, label, { k = 5, tau = 1, alpha = 1 } = {}, { select } = {}) {
      const caller = "smoothTopkSvm";
      const n = scores.length;
      checkLogValues(caller, "scores", scores);
      checkLabel(caller, scores, label);
      checkOrder(caller, k, 1, n, "n - 1");
      checkTemperature(caller, tau);
      checkMargin(caller, alpha);
      const selected = selection(caller, select, n);
      const row = finiteEntries(scores, label);
      if (k > row.x.length) return { loss: 0, grad: new Float64Array(selected.length), z: -Infinity };
      const wanted = selectedEntries(row, n, selected);
      const values = smoothTopkSvm(enclosures, row, scores[label], k, tau, alpha, wanted);
      const grad = scatter(row, n, values.subarray(3), selected);
      selected.forEach((i, at) => {
        if (i === label) grad[at] = values[2];
      });
      return { loss: values[0], grad, z: values[1] };
    },

    destroy() {
      enclosures.destroy();
    },
  };
}
