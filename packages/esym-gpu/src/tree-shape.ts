/**
 * The tree of truncated products over the classes of a row, and how many coefficients each level needs.
 *
 * A node of level l holds LEAF 2^l classes; its polynomial is kept up to degree min(LEAF 2^l, k). Of the polynomial of
 * everything outside a node of s classes the downsweep needs the coefficients k - 1 - s to k: the factors of the
 * node's classes but one raise a degree by s - 1 at most, and the derivatives need degrees k - 2 to k.
 */

/** Classes of a leaf. 8: measured against 4, 16 and 32, see docs/gpu.md; also the side of gpu.js's WebGPU workgroups. */
export const LEAF = 8;

interface Level {
  readonly nodes: number;
  /** Highest coefficient of a node that is kept. */
  readonly degree: number;
  /** Lowest coefficient of the outside that is needed. */
  readonly lowest: number;
}

export interface TreeShape {
  readonly rows: number;
  readonly k: number;
  /** Classes of a row, padded to whole leaves. */
  readonly width: number;
  /** From the leaves to the root. */
  readonly levels: readonly Level[];
}

export function treeShape(rows: number, n: number, k: number): TreeShape {
  const levels: Level[] = [];
  const leaves = Math.ceil(n / LEAF);
  for (let nodes = leaves, size = LEAF; ; nodes = Math.ceil(nodes / 2), size *= 2) {
    levels.push({ nodes, degree: Math.min(size, k), lowest: Math.max(0, k - 1 - size) });
    if (nodes === 1) return { rows, k, width: leaves * LEAF, levels };
  }
}
