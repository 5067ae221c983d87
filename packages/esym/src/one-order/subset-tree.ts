/**
 * Exact samples of the k-subset distribution: subset A has probability prod over A of e_i / sigma_k, and entry i is in it with its
 * inclusion probability.
 *
 * Down the tree of products: at a node that must contribute j entries, the left half contributes l with probability
 * P_l(left) P_{j-l}(right) / P_j(node). Conditional Bernoulli sampling, Chen, Dempster, Liu (1994); as a tree it
 * needs O(k + log n) nodes per sample.
 */
import { type CentredRow, centredRow, factorise } from "./centred-row.ts";
import { UNIT_SCALE } from "../numbers/exponential.ts";
import { rescaleExponent } from "./truncated-product.ts";

interface Node {
  readonly from: number;
  readonly to: number;
  /** Coefficients up to min(k, to - from), to a common power of two. */
  readonly p: Float64Array;
  readonly left: Node | null;
  readonly right: Node | null;
}

/** A source of uniform numbers in [0, 1): a seeded generator makes samples repeatable. */
export type Random = () => number;

/** A sampler of k-subsets of one row, reusable at O(k log n) a sample for entries of like size. */
export type SubsetSampler = (random: Random) => Int32Array;

/**
 * Prepares sampling from a row.
 *
 * @param x  the row, -Infinity where an entry is removed; overwritten.
 * @returns the sampler, or null if fewer than k entries are left. O(nk) time, O(nk) memory.
 */
export function subsetSamplerOfRow(x: Float64Array, k: number): SubsetSampler | null {
  const n = x.length;
  if (k === 0) return () => new Int32Array(0);
  const row = centredRow(n, k);
  if (!factorise(row, x, UNIT_SCALE)) return null;
  const { constant, linear } = factors(row);
  const root = build(constant, linear, 0, n, k);
  return (random) => {
    const out = new Int32Array(k);
    let size = 0;
    const descend = (node: Node, j: number): void => {
      if (j === 0) return;
      if (node.left === null || node.right === null) {
        out[size++] = node.from;
        return;
      }
      const l = drawSplit(node.left.p, node.right.p, j, random());
      descend(node.left, l);
      descend(node.right, j - l);
    };
    descend(root, k);
    return out;
  };
}

/** The factors (constant_i + linear_i X) of all entries in their order. */
function factors(row: CentredRow): { constant: Float64Array; linear: Float64Array } {
  const constant = new Float64Array(row.n).fill(1);
  const linear = row.e.slice(0, row.n);
  for (let g = 0; g < row.group; g++) {
    constant[row.index[g]] = row.constant[g];
    linear[row.index[g]] = row.linear[g];
  }
  return { constant, linear };
}

function build(constant: Float64Array, linear: Float64Array, from: number, to: number, k: number): Node {
  if (to - from === 1) {
    return { from, to, p: Float64Array.of(constant[from], linear[from]), left: null, right: null };
  }
  const middle = (from + to) >> 1;
  const left = build(constant, linear, from, middle, k);
  const right = build(constant, linear, middle, to, k);
  const p = new Float64Array(Math.min(k, to - from) + 1);
  for (let a = 0; a < left.p.length; a++) {
    for (let b = 0; b < right.p.length && a + b < p.length; b++) p[a + b] += left.p[a] * right.p[b];
  }
  const exponent = rescaleExponent(p, 0, p.length - 1);
  if (exponent !== 0) for (let j = 0; j < p.length; j++) p[j] *= 2 ** -exponent;
  return { from, to, p, left, right };
}

/** l with probability a[l] b[j - l] / (their sum), from a uniform number. */
function drawSplit(a: Float64Array, b: Float64Array, j: number, uniform: number): number {
  const low = Math.max(0, j - b.length + 1);
  const high = Math.min(j, a.length - 1);
  let total = 0;
  for (let l = low; l <= high; l++) total += a[l] * b[j - l];
  let rest = uniform * total;
  let chosen = low;
  for (let l = low; l <= high; l++) {
    const weight = a[l] * b[j - l];
    if (weight === 0) continue;
    chosen = l;
    rest -= weight;
    if (rest < 0) break;
  }
  return chosen;
}
