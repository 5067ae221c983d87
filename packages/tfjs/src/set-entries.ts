/**
 * Entries of a matrix set row by row.
 */
import {
  add,
  clipByValue,
  concat,
  getBackend,
  matMul,
  mul,
  oneHot,
  reshape,
  slice,
  sub,
  type Tensor,
  tensor2d,
  tensorScatterUpdate,
} from "@tensorflow/tfjs-core";

/**
 * The matrix with entries [b, indices[b, j]] set to values[b, j].
 *
 * @param matrix    shape [batch, n].
 * @param indices   shape [batch, m], int32, each in [0, n).
 * @param values    shape [batch, m].
 * @param repeated  shape [batch, m], 1 where an index stands in its row once more, with the same value; 0 elsewhere.
 *
 * WebGL has no scattered writes: there every entry of the result would search all batch * m updates. A product of each
 * row's values with its one-hot indices reads m of them.
 */
export function setEntries(matrix: Tensor, indices: Tensor, values: Tensor, repeated: Tensor): Tensor {
  const [batch, n] = matrix.shape;
  const m = indices.shape[1] as number;
  if (!getBackend().includes("webgl")) {
    const rows = Int32Array.from({ length: batch * m }, (_, i) => Math.floor(i / m));
    const where = concat([tensor2d(rows, [batch * m, 1], "int32"), reshape(indices, [batch * m, 1])], 1);
    return tensorScatterUpdate(matrix, where, reshape(values, [batch * m]));
  }
  const once = sub(1, repeated);
  const both = concat([reshape(mul(values, once), [batch, 1, m]), reshape(once, [batch, 1, m])], 1);
  const placed = matMul(both, oneHot(indices, n, 1, 0, "float32"));
  const row = (at: number): Tensor => reshape(slice(placed, [0, at, 0], [batch, 1, n]), [batch, n]);
  return add(mul(matrix, sub(1, clipByValue(row(1), 0, 1))), row(0));
}
