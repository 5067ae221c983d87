/**
 * The log-odds z of the subsets that miss the label, which the smooth loss is a softplus of:
 *
 *   z = log sigma_k - log sigma_{k-1} + alpha / tau - s_y / (k tau)    over exp(s_i / (k tau)), i != y.
 *
 * Rounding s / (k tau) would cost a relative error of |s| / (k tau) u in exp(z), and as much in its derivatives. The value
 * and the slopes are therefore those of the row kernel, which keeps temperature and margin to twice the precision. The
 * derivatives from the second on are those of primitives.
 */
import {
  copyRow,
  exponentialScale,
  logRatio,
  logRatioGradient,
  logRatioWorkspace,
  rowsOf,
  twoProduct,
  twoSum,
} from "@smooth-topk/esym/kernel";
import { add, div, logEspRatio, sub, type Tensor } from "@smooth-topk/grad";
import ndarray, { type NdArray } from "ndarray";
import { exactMargin, marginOver } from "../../exact-margin.ts";
import { type Found, fromKernel } from "../from-kernel.ts";
import { mask, ownScores } from "./row-constants.ts";

export interface LogOdds {
  /** [m]; -Infinity where fewer than k classes besides the label are there. */
  readonly z: Tensor;
  /** What z lacks of the exact log-odds by rounding, [m]: constants of the order of u |z|. */
  readonly rest: NdArray;
}

/**
 * @param rows    scores, [m, n], in double precision; -Infinity masks a class.
 * @param labels  m of them.
 */
export function logOdds(rows: Tensor, labels: Int32Array, k: number, tau: number, alpha: number): LogOdds {
  const m = labels.length;
  const centres = new Float64Array(m);
  const rest = new Float64Array(m);
  const kernel = (scores: NdArray, wantSlopes: boolean): Found =>
    visitRows(scores, labels, k, tau, alpha, wantSlopes, centres, rest);
  const composed = (scores: Tensor): Tensor => composedLogOdds(scores, labels, k, tau, alpha, centres);
  return { z: fromKernel("smoothTopkLoss", kernel, composed)(rows), rest: ndarray(rest, [m]) };
}

/**
 * The formula above in primitives, z of each row.
 *
 * @param centres  subtracted from the scores of each row, which changes nothing but the rounding: exponents stay small.
 */
export function composedLogOdds(
  scores: Tensor,
  labels: Int32Array,
  k: number,
  tau: number,
  alpha: number,
  centres: Float64Array,
): Tensor {
  const [m, n] = scores.shape;
  const others = add(
    scores,
    mask(m, n, (b, i) => i === labels[b]),
  );
  const x = div(sub(others, ndarray(centres, [m, 1])), k * tau);
  const margin = sub(
    ndarray(
      centres.map((centre) => centre + k * alpha),
      [m],
    ),
    ownScores(scores, labels),
  );
  return add(logEspRatio(x, k), div(margin, k * tau));
}

/** Fills centres and rest beside what it returns. */
function visitRows(
  scores: NdArray,
  labels: Int32Array,
  k: number,
  tau: number,
  alpha: number,
  wantSlopes: boolean,
  centres: Float64Array,
  rest: Float64Array,
): Found {
  const view = rowsOf("smoothTopkLoss", "scores", scores);
  const { batch: m, n } = view;
  const scale = exponentialScale(twoProduct(k, tau));
  const value = new Float64Array(m);
  const slopes = wantSlopes ? new Float64Array(m * n) : null;
  const x = new Float64Array(n);
  const work = logRatioWorkspace(n, k);
  for (let b = 0; b < m; b++) {
    copyRow(view, b, x);
    const own = x[labels[b]];
    x[labels[b]] = -Infinity;
    value[b] = -Infinity;
    if (!logRatio(work, x, scale)) continue;
    const [hi, lo] = marginOver(exactMargin(k, alpha, work.centre, own), scale.temperature);
    const logarithm = Math.log(work.ratio);
    const [z, tail] = twoSum(hi, logarithm);
    value[b] = z;
    // The logarithm's own rounding counts too: ratio exp(-logarithm) is 1 but for that.
    rest[b] = tail + lo + (work.ratio * Math.exp(-logarithm) - 1);
    centres[b] = work.centre;
    if (slopes !== null) {
      logRatioGradient(work, 1 / scale.temperature[0], slopes, b * n);
      slopes[b * n + labels[b]] = -1 / scale.temperature[0];
    }
  }
  return { value: ndarray(value, [m]), slopes: slopes === null ? null : ndarray(slopes, [m, n]) };
}
