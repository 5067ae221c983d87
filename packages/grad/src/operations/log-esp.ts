/**
 * Elementary symmetric polynomials as primitives: log sigma_0..log sigma_k of exp(x), and the log-ratio of the last two.
 *
 * Their derivatives of order m are joint cumulants of the k-subset distribution (addOpenCumulants of esym), so two families of
 * primitives are closed under differentiation. For directions w_1..w_m and a cotangent v of the orders,
 *   K_m(x; w)_j    = kappa_j(w_1(A), .., w_m(A)),                      K_0 = log sigma,
 *   O_m(x; v, w)_i = sum_j v_j kappa_j([i in A], w_1(A), .., w_m(A)),  O_0 = the vector-Jacobian product of log sigma,
 * kappa_j over the j-subsets. Both are linear in each w_a and in v, and a derivative in x is one more direction:
 *   d K_m [c] = K_{m+1}(c, w)  and  <c, d O_m [h]> = <h, O_{m+1}(v, c, w)>.
 *
 * esym computes K_0, O_0 and O_1 to its bounds (a relative error of 64 k u for each pi_i^(j); 64 k u pi_i (1 - pi_i)
 * range(w) for the covariances); K_m is sum_i w_mi O_{m-1}(w_1..w_{m-1})_i; O_m for m >= 2 is by addOpenCumulants.
 */
import { logEsp as logEspOf, logEspHvp, logEspRatio as ratioOf, logEspVjp } from "@smooth-topk/esym";
import { addOpenCumulants } from "@smooth-topk/esym/kernel";
import type { NdArray } from "ndarray";
import { mul } from "./arithmetic.ts";
import { commonDtype, flat, type FloatArray, inPrecision, show, sizeOf, wrap } from "../arrays/layout.ts";
import { reshape } from "./shapes.ts";
import { defineVjp, type Operand, type Rule, shapeOf, type Tensor } from "../core/tape.ts";

/**
 * Logarithms of the elementary symmetric polynomials of exp(x), orders 0 to k, as a differentiable function of x.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry.
 * @param k  highest order, 0 <= k <= n.
 * @returns  shape [k + 1] or [batch, k + 1]; -Infinity where sigma_j = 0, whose cotangents count for nothing.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Error of the value 2 u max(1, |log sigma_j|), of each term of the first derivative 64 k u relative, of the second
 * 64 k u pi_i (1 - pi_i) (max w - min w), of the m-th C n u pi_i prod_a (max w_a - min w_a) sqrt(k)^m (single precision:
 * rounded once from these). First derivative O(nk), second and third O(n k) for each order whose cotangent is not 0.
 */
export function logEsp(x: Operand, k: number): Tensor {
  return cumulants(x, k, []);
}

/**
 * log sigma_k - log sigma_{k-1} of exp(x), as a differentiable function of x: its gradient pi^(k) - pi^(k-1) without the
 * cancellation of that difference, which the derivatives of logEsp would have.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry.
 * @param k  1 <= k <= n.
 * @returns  shape [] or [batch]; -Infinity, with a gradient of 0, for a row with sigma_k = 0.
 * @throws RangeError or TypeError naming the argument, the index and the value.
 *
 * Every entry of the gradient above 1e-280 is right to 64 k u; higher derivatives are as those of {@link logEsp}.
 */
export function logEspRatio(x: Operand, k: number): Tensor {
  const shape = rowShape("logEspRatio", x);
  const perRow = [...shape.slice(0, -1), 1];
  const slopes = new Float64Array(sizeOf(shape));
  return defineVjp<[Operand]>({
    name: "logEspRatio",
    forward: (rows) => {
      // Where sigma_k = 0 nothing that the entries do changes it.
      const rowWeight = (_row: number, ratio: number): number => (ratio > 0 ? 1 : 0);
      const { value } = ratioOf(rows as NdArray, k, { rowWeight, out: { grad: slopes } });
      return likeDtype(value.data, shape.slice(0, -1), rows);
    },
    vjps: {
      // d (log sigma_k - log sigma_{k-1}) = sum_i (pi_i^(k) - pi_i^(k-1)) dx_i
      x: (g, _answer, rows) => mul(reshape(g, perRow), ratioGradient(rows, k, slopes, shape)),
    },
  })(x);
}

/** The gradient of the log-ratio as a function of x, whose value the forward pass has found: 0 in rows with sigma_k = 0. */
function ratioGradient(x: Operand, k: number, data: Float64Array, shape: readonly number[]): Tensor {
  const n = shape[shape.length - 1];
  // The difference of orders k and k - 1. Where sigma_k = 0, at most one (k - 1)-subset is left, and its covariances are 0.
  const orders = wrap(new Float64Array((data.length / n) * (k + 1)), [...shape.slice(0, -1), k + 1]);
  for (let at = k; at < orders.data.length; at += k + 1) {
    orders.data[at] = 1;
    orders.data[at - 1] = -1;
  }
  return defineVjp<[Operand]>({
    name: "logEspRatio",
    forward: (rows) => likeDtype(data, shape, rows),
    vjps: { x: (c, _answer, rows) => openCumulants(rows, k, orders, [c]) },
  })(x);
}

/** K_m(x; w), shape [k + 1] or [batch, k + 1]. */
function cumulants(x: Operand, k: number, w: readonly Operand[]): Tensor {
  const shape = rowShape("logEsp", x);
  const to = [...shape.slice(0, -1), k + 1];
  return defineVjp<Operand[]>({
    name: "logEsp",
    forward: (rows, ...directions) => {
      if (directions.length === 0) return likeDtype(logEspOf(rows as NdArray, k).data, to, rows);
      const last = flat(directions[directions.length - 1] as FloatArray);
      const out = new Float64Array(sizeOfRows(shape) * (k + 1));
      for (let j = 0; j <= k; j++) {
        const cotangent = wrap(new Float64Array(out.length), to);
        for (let at = j; at < out.length; at += k + 1) cotangent.data[at] = 1;
        const open = openForward(rows as FloatArray, k, cotangent, directions.slice(0, -1) as FloatArray[]);
        const n = shape[shape.length - 1];
        for (let at = 0; at < open.length; at++) {
          if (open[at] !== 0) out[Math.floor(at / n) * (k + 1) + j] += last[at] * open[at];
        }
      }
      return likeDtype(out, to, rows);
    },
    vjps: {
      x: (v, _answer, rows, ...directions) => openCumulants(rows, k, v, directions),
      ...directionRules(w.length, (v, directions, rows, a) => openCumulants(rows, k, v, directions.toSpliced(a, 1))),
    },
  })(x, ...w);
}

/** O_m(x; v, w), the shape of x. */
function openCumulants(x: Operand, k: number, v: Operand, w: readonly Operand[]): Tensor {
  const shape = rowShape("logEsp", x);
  return defineVjp<Operand[]>({
    name: "logEsp",
    forward: (rows, cotangent, ...directions) =>
      likeDtype(openForward(rows as FloatArray, k, cotangent as FloatArray, directions as FloatArray[]), shape, rows),
    vjps: {
      x: (c, _answer, rows, cotangent, ...directions) => openCumulants(rows, k, cotangent, [...directions, c]),
      v: (c, _answer, rows, _cotangent, ...directions) => cumulants(rows, k, [...directions, c]),
      ...directionRules(w.length, (c, [cotangent, ...directions], rows, a) =>
        openCumulants(rows, k, cotangent, directions.with(a, c)),
      ),
    },
  })(x, v, ...w);
}

/** A rule for each direction, by its number. */
function directionRules(
  count: number,
  rule: (cotangent: Tensor, others: Operand[], x: Operand, a: number) => Tensor,
): Record<string, Rule<Operand[]>> {
  const entries = Array.from({ length: count }, (_, a): [string, Rule<Operand[]>] => [
    `w${a + 1}`,
    (g, _answer, x, ...others) => rule(g, others, x, a),
  ]);
  return Object.fromEntries(entries);
}

function openForward(x: FloatArray, k: number, v: FloatArray, w: readonly FloatArray[]): Float64Array {
  const cotangents = flat(v);
  const finite = wrap(
    Float64Array.from(cotangents, (value) => (value === value ? value : 0)),
    v.shape,
  );
  if (w.length === 0) return logEspVjp(x, k, finite).data;
  const out = new Float64Array(sizeOf(x.shape));
  const n = x.shape[x.shape.length - 1];
  const rows = flat(x);
  const directions = w.map(flat);
  for (let b = 0; b * n < out.length; b++) {
    const row = Float64Array.from(rows.subarray(b * n, (b + 1) * n));
    const ofRow = directions.map((direction) => Float64Array.from(direction.subarray(b * n, (b + 1) * n)));
    const result = out.subarray(b * n, (b + 1) * n);
    for (let j = 1; j <= k; j++) {
      const weight = cotangents[b * (k + 1) + j];
      if (weight === 0) continue;
      if (w.length > 1) addOpenCumulants(row, j, ofRow, weight, result);
      else {
        const covariance = logEspHvp(row, j, ofRow[0]).data;
        for (let i = 0; i < n; i++) if (covariance[i] === covariance[i]) result[i] += weight * covariance[i];
      }
    }
  }
  return out;
}

function rowShape(caller: string, x: Operand): number[] {
  const shape = shapeOf(x);
  if (shape.length !== 1 && shape.length !== 2) {
    throw new RangeError(`${caller}: x has shape ${show(shape)}, expected [n] or [batch, n]`);
  }
  return shape;
}

function sizeOfRows(shape: readonly number[]): number {
  return shape.length === 1 ? 1 : shape[0];
}

/** Doubles in the precision of x. */
function likeDtype(data: Float64Array, shape: readonly number[], x: FloatArray | number): FloatArray {
  return wrap(inPrecision(data, commonDtype([x])), shape);
}
