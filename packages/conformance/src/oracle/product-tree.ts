/**
 * Products of factors with nonnegative coefficients, truncated, by a balanced tree; and, down the same tree, of each
 * factor the product of all the others.
 *
 * Nothing is divided out and nothing subtracted, so no bits are lost: a recurrence that divides the factor out of the
 * product loses as many as its ratio is large. O(n k) multiply-adds up and twice that down for degree k, because a
 * subtree of s factors has degree s and only s + width - 1 coefficients of its outside product matter below it.
 *
 * With tangents every polynomial is a pair P + epsilon P', epsilon^2 = 0.
 */
import type { Factors } from "./centred-factors.ts";
import type { Enclosure, Enclosures } from "./enclosures.ts";

interface Node {
  readonly from: number;
  readonly to: number;
  readonly degree: number;
  readonly value: Enclosure;
  /** First coefficient of P', or -1. */
  readonly tangent: Enclosure;
  readonly left: Node | null;
  readonly right: Node | null;
}

/** The first of the window's enclosures, of values and of tangents (-1 without), for one factor. */
export type VisitFactor = (factor: number, value: Enclosure, tangent: Enclosure) => void;

export class ProductTree {
  readonly #enclosures: Enclosures;
  readonly #root: Node;

  /**
   * @param degree    highest degree kept, at least 1.
   * @param tangents  first of 2 enclosures per factor, laid out as the factors are, of any sign; or -1.
   */
  constructor(enclosures: Enclosures, factors: Factors, degree: number, tangents: Enclosure = -1) {
    this.#enclosures = enclosures;
    const build = (from: number, to: number): Node => {
      if (to - from === 1) {
        const tangent = tangents < 0 ? -1 : tangents + 2 * from;
        return { from, to, degree: 1, value: factors.first + 2 * from, tangent, left: null, right: null };
      }
      const middle = (from + to) >> 1;
      return this.#multiply(build(from, middle), build(middle, to), degree);
    };
    this.#root = build(0, factors.count);
  }

  /** The coefficient of X^j, j at most the degree of the product and at most the highest degree kept. */
  coefficient(j: number): Enclosure {
    return this.#root.value + j;
  }

  tangent(j: number): Enclosure {
    return this.#root.tangent + j;
  }

  #multiply(left: Node, right: Node, highest: number): Node {
    const enclosures = this.#enclosures;
    const degree = Math.min(left.degree + right.degree, highest);
    const value = enclosures.allocate(degree + 1);
    const tangent = left.tangent < 0 ? -1 : enclosures.allocate(degree + 1);
    for (let j = 0; j <= degree; j++) {
      const from = Math.max(0, j - left.degree);
      const count = Math.min(j, right.degree) - from + 1;
      enclosures.dot(value + j, left.value + j - from, -1, right.value + from, count, false);
      if (tangent < 0) continue;
      enclosures.dot(tangent + j, left.tangent + j - from, -1, right.value + from, count, false);
      const last = from + count - 1;
      enclosures.dot(tangent + j, right.tangent + last, -1, left.value + j - last, count, true);
    }
    return { from: left.from, to: right.to, degree, value, tangent, left, right };
  }

  /**
   * For each wanted factor i, with D the product of all the others, the window
   *   W[u] = sum over b of weights[b] D_{b - u},  0 <= u < width.
   *
   * @param weights  first of `count` enclosures of any sign; with tangents, nonnegative.
   * @param wanted   a truthy value for each factor to visit.
   * @param visit    called in order of factors; the window is gone when it returns.
   */
  visitOutside(weights: Enclosure, count: number, width: number, wanted: Uint8Array, visit: VisitFactor): void {
    const before = new Int32Array(wanted.length + 1);
    for (let i = 0; i < wanted.length; i++) before[i + 1] = before[i] + (wanted[i] === 0 ? 0 : 1);
    const enclosures = this.#enclosures;
    const mark = enclosures.mark();
    const window = enclosures.allocate(Math.max(count, width));
    for (let b = 0; b < count; b++) enclosures.copy(window + b, weights + b);
    for (let b = count; b < width; b++) enclosures.setDouble(window + b, 0);
    let tangents = -1;
    if (this.#root.tangent >= 0) {
      tangents = enclosures.allocate(Math.max(count, width));
      for (let b = 0; b < Math.max(count, width); b++) enclosures.setDouble(tangents + b, 0);
    }
    const descend = (node: Node, length: number, value: Enclosure, tangent: Enclosure): void => {
      if (before[node.to] === before[node.from]) return;
      if (node.left === null || node.right === null) {
        visit(node.from, value, tangent);
        return;
      }
      for (const [child, sibling] of [
        [node.left, node.right],
        [node.right, node.left],
      ]) {
        if (before[child.to] === before[child.from]) continue;
        const here = enclosures.mark();
        const childLength = Math.min(length, width + child.to - child.from - 1);
        const childValue = enclosures.allocate(childLength);
        const childTangent = tangent < 0 ? -1 : enclosures.allocate(childLength);
        for (let u = 0; u < childLength; u++) {
          const terms = Math.min(sibling.degree + 1, length - u);
          enclosures.dot(childValue + u, value + u, 1, sibling.value, terms, false);
          if (tangent < 0) continue;
          enclosures.dot(childTangent + u, tangent + u, 1, sibling.value, terms, false);
          enclosures.dot(childTangent + u, sibling.tangent, 1, value + u, terms, true);
        }
        descend(child, childLength, childValue, childTangent);
        enclosures.release(here);
      }
    };
    descend(this.#root, Math.max(count, width), window, tangents);
    enclosures.release(mark);
  }
}
