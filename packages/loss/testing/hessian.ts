/**
 * Hessians from the cumulants of the subset distributions: docs/properties.md, equations (4) and (6).
 */
import { logEspHvp } from "@smooth-topk/esym";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { Instance } from "./instances.ts";

/** The symmetric matrix with these columns. */
function matrixOf(n: number, column: (unit: number[]) => ArrayLike<number>): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(column(Array.from({ length: n }, (_unused, l) => +(l === i)))));
}

/** The covariance matrix of the indicators of a k-subset drawn with weights exp(x); error of entry i, l at most 64 k u. */
export function covariance(x: readonly number[], k: number): number[][] {
  return matrixOf(x.length, (unit) => logEspHvp(x, k, unit).data);
}

/** The Hessian of log sigma_k - log sigma_{k-1} in x. */
export function hessianOfLogRatio(x: readonly number[], k: number): number[][] {
  const [upper, lower] = [covariance(x, k), covariance(x, k - 1)];
  return upper.map((row, i) => row.map((v, l) => v - lower[i][l]));
}

/** k^2 tau times the Hessian of the loss: the covariance of all k-subsets less that of those with y. */
export function scaledHessian({ s, y, k, tau, alpha }: Instance): number[][] {
  const x = s.map((v, i) => v / (k * tau) - (i === y ? alpha / tau : 0));
  const held = x.with(y, -Infinity);
  const [all, others] = [covariance(x, k), covariance(held, k - 1)];
  return all.map((row, i) => row.map((v, l) => v - others[i][l]));
}

/** In ascending order; errors of a few n u beside those of the entries. */
export function eigenvalues(symmetric: readonly (readonly number[])[]): number[] {
  const matrix = new Matrix(symmetric.map((row) => [...row]));
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues.toSorted((a, b) => a - b);
}
