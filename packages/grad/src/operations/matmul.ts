/**
 * Matrix products. d(A B) = dA B + A dB, so the cotangents are G B^T and A^T G.
 */
import { gemm, type Matrix } from "../arrays/gemm.ts";
import { asArray, commonDtype, type FloatArray, inPrecision, show, wrap } from "../arrays/layout.ts";
import { reshape, transpose } from "./shapes.ts";
import { defineVjp, type Operand, shapeOf, type Tensor } from "../core/tape.ts";

/**
 * The product of a [m, k] and b [k, n], shape [m, n]. A vector a counts as a row, a vector b as a column, and that
 * dimension is dropped from the result.
 *
 * Sums in doubles whatever the precision. O(m k n) time; no copies of strided views.
 *
 * @throws RangeError naming both shapes if they do not match.
 */
export function matmul(a: Operand, b: Operand): Tensor {
  const [left, right] = [shapeOf(a), shapeOf(b)];
  const ranksFit = [left, right].every(({ length }) => length === 1 || length === 2);
  if (!ranksFit || left.at(-1) !== right[0]) {
    const expected = ranksFit ? `an inner extent of ${left.at(-1)}` : "matrices or vectors";
    throw new RangeError(`matmul: b has shape ${show(right)} and a has shape ${show(left)}, expected ${expected}`);
  }
  const rows = left.length === 1 ? reshape(a, [1, left[0]]) : a;
  const columns = right.length === 1 ? reshape(b, [right[0], 1]) : b;
  const product = multiply(rows, columns);
  if (left.length === 2 && right.length === 2) return product;
  return reshape(product, [...left.slice(0, -1), ...right.slice(1)]);
}

const multiply: (a: Operand, b: Operand) => Tensor = defineVjp<[Operand, Operand]>({
  name: "matmul",
  forward: (a, b) => {
    const [left, right] = [asArray(a), asArray(b)];
    const [m, k] = left.shape;
    const [, n] = right.shape;
    const product = new Float64Array(m * n);
    gemm(m, n, k, matrix(left), matrix(right), product, 0);
    return wrap(inPrecision(product, commonDtype([a, b])), [m, n]);
  },
  vjps: {
    a: (g, _answer, _a, b) => multiply(g, transpose(b)),
    b: (g, _answer, a) => multiply(transpose(a), g),
  },
});

function matrix({ data, offset, stride }: FloatArray): Matrix {
  return { data, offset, rowStride: stride[0], columnStride: stride[1] };
}
