/**
 * log sigma_0..log sigma_k of exp(x), by any of four algorithms.
 */
import type { NdArray } from "ndarray";
import {
  type ArrayLike2d,
  checkExponents,
  checkLogValues,
  checkOrder,
  copyRow,
  describe,
  rowsOf,
  wrap,
} from "./border.ts";
import { logEspByDivideAndConquer } from "./reference/divide-and-conquer.ts";
import { logEspByEnumeration, MOST_SUBSETS, subsetCount } from "./reference/enumeration.ts";
import { logsOfPartial, partialOfRow } from "./partials.ts";
import { logEspByTilting } from "./reference/tilted.ts";

/**
 * - 'summation': one factor at a time, linear space, compensated; the default and the accurate one.
 * - 'divide-and-conquer': the paper's tree of log-space products.
 * - 'tilted': the Poisson-binomial form, no exponents to keep: what single precision and GPUs use.
 * - 'enumeration': the definition; refused above 2^26 subsets.
 */
export type Algorithm = "summation" | "divide-and-conquer" | "tilted" | "enumeration";

/** log sigma of one row of n entries, which it may overwrite. */
type RowAlgorithm = (x: Float64Array, n: number, k: number) => Float64Array;

const algorithms: Record<Algorithm, RowAlgorithm> = {
  summation: (x, n, k) => logsOfPartial(partialOfRow(x, n, k)),
  "divide-and-conquer": logEspByDivideAndConquer,
  tilted: logEspByTilting,
  enumeration: logEspByEnumeration,
};

/** The names that {@link logEsp} takes. */
export const ALGORITHMS: readonly Algorithm[] = Object.keys(algorithms) as Algorithm[];

export interface LogEspOptions {
  /** Default 'summation'. */
  readonly algorithm?: Algorithm | undefined;
}

/**
 * Logarithms of the elementary symmetric polynomials of exp(x), orders 0 to k:
 * out[j] = log sigma_j(exp(x_1), ..., exp(x_n)), where prod_i (1 + exp(x_i) X) = sum_j sigma_j X^j.
 *
 * @param x  log-values, shape [n] or [batch, n]; -Infinity removes an entry. Not mutated.
 * @param k  highest order, 0 <= k <= n.
 * @returns  shape [k + 1] or [batch, k + 1]; -Infinity where sigma_j = 0.
 * @throws RangeError or TypeError naming the argument, the index and the value, if x holds NaN or +Infinity, k is out
 *         of range, or enumeration would need more than 2^26 subsets.
 *
 * 'summation': error at most 2 u max(1, |out[j]|), u = 2^-53, for |x_i| up to 2^52 / k;
 * larger ones are refused. O(nk) time, O(k) memory beside a copy of a row.
 * Berrada, Zisserman, Kumar (2018), section 4; docs/algorithm.md.
 *
 * @example
 * ```ts
 * import { logEsp } from "@smooth-topk/esym";
 *
 * console.log(logEsp([0, 0, 0], 2)); // log 1, log 3, log 3: 0, 1.0986, 1.0986
 * ```
 */
export function logEsp(x: ArrayLike2d, k: number, options: LogEspOptions = {}): NdArray<Float64Array> {
  const caller = "logEsp";
  const { algorithm = "summation" } = options;
  if (!Object.hasOwn(algorithms, algorithm)) {
    throw new RangeError(`${caller}: algorithm is ${describe(algorithm)}, expected one of ${ALGORITHMS.join(", ")}`);
  }
  const rows = rowsOf(caller, "x", x);
  checkOrder(caller, k, rows.n, 0, 0);
  if (algorithm === "enumeration" && subsetCount(rows.n, k) > MOST_SUBSETS) {
    throw new RangeError(
      `${caller}: enumeration of n = ${rows.n}, k = ${k} needs ${subsetCount(rows.n, k)} subsets, at most ${MOST_SUBSETS}`,
    );
  }
  checkLogValues(caller, "x", rows);
  if (algorithm === "summation") checkExponents(caller, "x", rows, k);
  const row = new Float64Array(rows.n);
  const out = new Float64Array(rows.batch * (k + 1));
  for (let b = 0; b < rows.batch; b++) {
    copyRow(rows, b, row);
    out.set(algorithms[algorithm](row, rows.n, k), b * (k + 1));
  }
  return wrap(out, rows, k + 1);
}
