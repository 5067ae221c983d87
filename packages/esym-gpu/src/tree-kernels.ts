/**
 * Sources of the kernels that sweep a tree of truncated products up and down.
 *
 * Kernels are source strings: gpu.js parses a function's text, which bundlers and coverage tools rewrite. Sizes are literals
 * in them, so that every loop is bounded by a constant: gpu.js cuts other loops at 1000 rounds without a word. A Math.min of
 * indices stands outside the brackets: inside, gpu.js gives GLSL an integer and a float, for which there is no min.
 *
 * A factor is a + b X with one of a and b equal to 1 and the other v <= 1: (1 + v X) below the centre of the row, (v + X)
 * above it. It is stored as one number: v, or -v for the second kind.
 */
import { lines, range, smallestSum } from "./source-text.ts";
import { LEAF, type TreeShape } from "./tree-shape.ts";

/** What the leaves compute from the products of everything but their own class. */
export type Derivative = "inclusion" | "ratio";

/** Coefficient j of a node of a level: leaves lie as [j, node, row], the others as [node, j, row]. */
function coefficient(level: number, array: string, j: string, node: string, row = "this.thread.z"): string {
  return level === 0 ? `${array}[${row}][${node}][${j}]` : `${array}[${row}][${j}][${node}]`;
}

/** The factors of the leaf of this thread. */
function readFactors(): string {
  return lines(
    range(0, LEAF).flatMap((s) => [
      `const v${s} = v[this.thread.z][this.thread.y * ${LEAF} + ${s}];`,
      `const a${s} = v${s} < 0.0 ? -v${s} : 1.0;`,
      `const b${s} = v${s} < 0.0 ? 1.0 : v${s};`,
    ]),
  );
}

/** [coefficients, leaves, rows]: the product of a leaf's factors, accumulated in locals. */
export function leafSource({ levels: [{ degree }] }: TreeShape): string {
  const steps = range(0, LEAF).flatMap((s) =>
    range(0, Math.min(s + 1, degree) + 1)
      .toReversed()
      .map((j) => (j > 0 ? `c${j} = a${s} * c${j} + b${s} * c${j - 1};` : `c0 = a${s} * c0;`)),
  );
  return `function (v) {
  ${readFactors()}
  let c0 = 1.0;
  ${lines(range(1, degree + 1).map((j) => `let c${j} = 0.0;`))}
  ${lines(steps)}
  let result = c0;
  ${lines(range(1, degree + 1).map((j) => `result = this.thread.x === ${j} ? c${j} : result;`))}
  return result;
}`;
}

/** [nodes, coefficients, rows]: a node's polynomial from its two children, one level down. */
export function upSource({ k, levels }: TreeShape, level: number): string {
  const child = levels[level - 1];
  const top = child.degree + 1;
  const left = "this.thread.x * 2";
  const complete = child.nodes % 2 === 0;
  const alone = `(this.thread.y < ${top} ? ${coefficient(level - 1, "p", "inside", left)} : 0.0)`;
  return `function (p) {
  const right = ${complete ? "this.thread.x * 2 + 1" : `Math.min(this.thread.x * 2 + 1, ${child.nodes - 1})`};
  const inside = Math.min(this.thread.y, ${child.degree});
  let sum = ${smallestSum(k)};
  for (let i = 0; i < ${top}; i++) {
    if (i <= this.thread.y && this.thread.y - i < ${top}) {
      sum += ${coefficient(level - 1, "p", "i", left)} * ${coefficient(level - 1, "p", "this.thread.y - i", "right")};
    }
  }
  return ${complete ? "sum" : `this.thread.x * 2 + 1 < ${child.nodes} ? sum : ${alone}`};
}`;
}

/** [nodes, coefficients from lowest to k, rows]: the outside of a child of the root, which is its sibling. */
export function topDownSource({ levels }: TreeShape): string {
  const level = levels.length - 2;
  const { degree, lowest } = levels[level];
  return `function (p) {
  const inside = Math.min(this.thread.y + ${lowest}, ${degree});
  return this.thread.y + ${lowest} < ${degree + 1} ? ${coefficient(level, "p", "inside", "1 - this.thread.x")} : 0.0;
}`;
}

/** [nodes, coefficients from lowest to k, rows]: the outside of a node is its parent's outside times its sibling. */
export function downSource({ k, levels }: TreeShape, level: number): string {
  const { nodes, degree, lowest } = levels[level];
  const shift = lowest - levels[level + 1].lowest;
  const complete = nodes % 2 === 0;
  const sibling = "parent * 4 + 1 - this.thread.x";
  return `function (p, outside) {
  const parent = Math.floor(this.thread.x * 0.5);
  const at = ${complete ? sibling : `Math.min(${sibling}, ${nodes - 1})`};
  let sum = ${smallestSum(k)};
  for (let i = 0; i < ${degree + 1}; i++) {
    if (i <= this.thread.y + ${shift}) {
      sum += ${coefficient(level, "p", "i", "at")} * outside[this.thread.z][this.thread.y + ${shift} - i][parent];
    }
  }
  return ${complete ? "sum" : `${sibling} < ${nodes} ? sum : outside[this.thread.z][this.thread.y + ${shift}][parent]`};
}`;
}

/**
 * [class of the leaf, leaves, rows]: the derivative at each class, times scale[row].
 *
 * From the outside of its leaf and the factors of the leaf but its own: d_{k-2}, d_{k-1}, d_k, of positive terms only. Then
 *   inclusion  b d_{k-1} / P_k
 *   ratio      a b (d_{k-1}^2 - d_{k-2} d_k) / (P_k P_{k-1})
 */
export function derivativeSource(shape: TreeShape, derivative: Derivative): string {
  const { k, levels } = shape;
  const { lowest } = levels[0];
  const count = k - lowest + 1;
  const alone = levels.length === 1;
  const root = levels.length - 1;
  const outside = range(0, count).map(
    (w) => `let d${w} = ${alone ? (w + lowest === 0 ? "1.0" : "0.0") : `outside[this.thread.z][${w}][this.thread.y]`};`,
  );
  // The last factor needs the upper three, the one before it four, and so on.
  const steps = range(0, LEAF).flatMap((s) =>
    range(Math.max(0, count - 2 - LEAF + s), count)
      .toReversed()
      .map((w) => (w > 0 ? `d${w} = a${s} * d${w} + b${s} * d${w - 1};` : `d0 = a${s} * d0;`)),
  );
  const [d0, d1, d2] = [count - 1, count - 2, count - 3].map((w) => (w < 0 ? "0.0" : `d${w}`));
  const full = (j: number): string => coefficient(root, "full", String(j), "0");
  const value =
    derivative === "inclusion"
      ? `b * (${d1} / ${full(k)})`
      : `(a * b) * ((${d1} / ${full(k)}) * (${d1} / ${full(k - 1)}) - (${d2} / ${full(k - 1)}) * (${d0} / ${full(k)}))`;
  return `function (v, full, ${alone ? "" : "outside, "}scale) {
  const own = v[this.thread.z][this.thread.y * ${LEAF} + this.thread.x];
  const a = own < 0.0 ? -own : 1.0;
  const b = own < 0.0 ? 1.0 : own;
  ${readFactorsBut()}
  ${lines(outside)}
  ${lines(steps)}
  return scale[this.thread.z] * (${value});
}`;
}

/** The factors of the leaf, with 1 in place of the thread's own. */
function readFactorsBut(): string {
  return lines(
    range(0, LEAF).flatMap((s) => [
      `const v${s} = v[this.thread.z][this.thread.y * ${LEAF} + ${s}];`,
      `const a${s} = this.thread.x === ${s} ? 1.0 : (v${s} < 0.0 ? -v${s} : 1.0);`,
      `const b${s} = this.thread.x === ${s} ? 0.0 : (v${s} < 0.0 ? 1.0 : v${s});`,
    ]),
  );
}
