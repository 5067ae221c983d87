/**
 * Products of many polynomials of degree 1, by a binary tree, and the products of all but one of them.
 *
 * A polynomial is a row of coefficients, lowest order first; coefficients beyond the order k are dropped. All coefficients
 * are non-negative, so that nothing cancels: a product of polynomials of degree d is off by at most (d + 2) u more, relative,
 * than its factors are.
 */
import {
  add,
  gather,
  matMul,
  pad,
  reshape,
  reverse,
  slice,
  type Tensor,
  tensor1d,
  zerosLike,
} from "@tensorflow/tfjs-core";

/**
 * The levels of the tree: leaves, their products in pairs, and so on; the last level holds one polynomial for each row.
 *
 * @param leaves  shape [batch, a power of two, 2].
 */
export function productTree(leaves: Tensor, k: number): Tensor[] {
  const levels = [leaves];
  for (let nodes = leaves.shape[1] as number; nodes > 1; nodes /= 2)
    levels.push(pairwise(levels.at(-1) as Tensor, levels.at(-1) as Tensor, k));
  return levels;
}

/** The derivatives of the levels along a direction, from that of the leaves. */
export function treeTangent(levels: readonly Tensor[], leaves: Tensor, k: number): Tensor[] {
  const tangents = [leaves];
  for (let l = 0; l < levels.length - 1; l++) {
    tangents.push(add(pairwise(tangents[l], levels[l], k), pairwise(levels[l], tangents[l], k)));
  }
  return tangents;
}

/** The first of each pair in one tensor times the second of it in the other. */
function pairwise(firsts: Tensor, seconds: Tensor, k: number): Tensor {
  const [batch, nodes, width] = firsts.shape as [number, number, number];
  const pairs = reshape(seconds, [(batch * nodes) / 2, 2 * width]);
  const first = reshape(slice(reshape(firsts, pairs.shape), [0, 0], [-1, width]), [-1, 1, width]);
  const last = Math.min(2 * (width - 1), k);
  const product = matMul(first, shifts(pairs, { from: width, width, order: 0 }, width, 0, last));
  return reshape(product, [batch, nodes / 2, last + 1]);
}

/** The product of two polynomials for each row, up to order k. */
export function multiply(p: Tensor, q: Tensor, k: number): Tensor {
  const [batch, width] = p.shape as [number, number];
  const last = Math.min(width - 1 + (q.shape[1] as number) - 1, k);
  const moved = shifts(q, { from: 0, width: q.shape[1] as number, order: 0 }, width, 0, last);
  return reshape(matMul(reshape(p, [batch, 1, width]), moved), [batch, last + 1]);
}

/**
 * For each leaf, the product of `rest` and of all other leaves: its coefficients of the orders k - 2 (k = 1: none), k - 1 and k.
 *
 * @param rest  shape [batch, k + 1].
 * @returns shape [batch, leaves, min(3, k + 1)].
 *
 * From the root down: what is outside a child is what is outside its parent times its sibling. A node of 2^l leaves needs
 * 2^l + 2 orders of it, no more.
 */
export function leaveOneOut(levels: readonly Tensor[], rest: Tensor, k: number): Tensor {
  let outside = rest;
  for (let l = levels.length - 2; l >= 0; l--) outside = outsideChildren(levels[l], outside, l, k);
  return lastOrders(outside, rest.shape[0], k);
}

/** {@link leaveOneOut} and its derivative along the direction of {@link treeTangent}. */
export function leaveOneOutTangent(
  levels: readonly Tensor[],
  tangents: readonly Tensor[],
  rest: Tensor,
  k: number,
): { value: Tensor; tangent: Tensor } {
  let value = rest;
  let tangent = zerosLike(rest);
  for (let l = levels.length - 2; l >= 0; l--) {
    tangent = add(outsideChildren(tangents[l], value, l, k), outsideChildren(levels[l], tangent, l, k));
    value = outsideChildren(levels[l], value, l, k);
  }
  const batch = rest.shape[0];
  return { value: lastOrders(value, batch, k), tangent: lastOrders(tangent, batch, k) };
}

/** The lowest order that is needed of what is outside a node of 2^l leaves. */
function lowestOrder(l: number, k: number): number {
  return Math.max(0, k - 1 - 2 ** l);
}

function outsideChildren(level: Tensor, outside: Tensor, l: number, k: number): Tensor {
  const [batch, nodes, width] = level.shape as [number, number, number];
  const first = lowestOrder(l, k);
  const held = outside.shape[1] as number;
  const moved = shifts(outside, { from: 0, width: held, order: k + 1 - held }, width, first, k);
  const siblings = reverse(reshape(level, [(batch * nodes) / 2, 2, width]), 1);
  return reshape(matMul(siblings, moved), [batch * nodes, k - first + 1]);
}

function lastOrders(outside: Tensor, batch: number, k: number): Tensor {
  const orders = Math.min(3, k + 1);
  const all = outside.shape[1] as number;
  return reshape(slice(outside, [0, all - orders], [-1, orders]), [batch, -1, orders]);
}

/** Where a polynomial stands in a row, and the order of its first coefficient. */
interface Place {
  readonly from: number;
  readonly width: number;
  readonly order: number;
}

/**
 * A matrix for each row that multiplies by the polynomial in it: entry [a, j] is its coefficient of order first + j - a.
 *
 * @returns shape [rows, height, last - first + 1].
 */
function shifts(rows: Tensor, { from, width, order }: Place, height: number, first: number, last: number): Tensor {
  const [count, length] = rows.shape as [number, number];
  const columns = last - first + 1;
  const at = new Int32Array(height * columns);
  for (let a = 0; a < height; a++) {
    for (let j = 0; j < columns; j++) {
      const i = first + j - a - order;
      at[a * columns + j] = i >= 0 && i < width ? from + i : length;
    }
  }
  const padded = pad(rows, [
    [0, 0],
    [0, 1],
  ]);
  return reshape(gather(padded, tensor1d(at, "int32"), 1), [count, height, columns]);
}
