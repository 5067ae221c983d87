/**
 * Sources of the kernels for small orders: classes are divided out of the product of all.
 *
 * The largest entries of a row stand apart, as factors a + b X (tree-kernels.ts): 4k of them, since then the others have
 * inclusion probabilities below k / (4k + 1) < 1/4, or k where the host has seen that this holds already. So the recurrence d_j = P_j - e d_{j-1} is stable: it doubles an error at most. The large
 * ones are computed from products of positive factors only. Sizes are literals, sums are unrolled in locals.
 */
import { lines, range, smallestSum } from "./source-text.ts";
import type { Derivative } from "./tree-kernels.ts";
import type { DivisionShape } from "./division-shape.ts";

/** c_j of this thread's column x, from locals named c. */
const select = (indices: readonly number[]): string[] => [
  `let result = c${indices[0]};`,
  ...indices.slice(1).map((j, at) => `result = this.thread.x === ${at + 1} ? c${j} : result;`),
];

/**
 * [coefficients 1 to k, runs, rows]: products of (1 + e_i X) over runs of classes.
 *
 * @param unrolled  on a CPU, where gpu.js keeps a counter as a float and converts it for each access: a loop takes half as
 *                  long again. On a GPU the loop compiles sooner.
 */
export function runSource({ k, run }: DivisionShape, unrolled: boolean): string {
  const orders = range(1, k + 1);
  const step = (v: string, highest: number): string =>
    lines(
      range(1, highest + 1)
        .toReversed()
        .map((j) => (j > 1 ? `c${j} += ${v} * c${j - 1};` : `c1 += ${v};`)),
    );
  const factor = (i: string): string => `e[this.thread.z][this.thread.y * ${run} + ${i}]`;
  const steps = unrolled
    ? lines(range(0, run).map((i) => `const v${i} = ${factor(String(i))};\n  ${step(`v${i}`, Math.min(k, i + 1))}`))
    : `for (let s = 0; s < ${run}; s++) {
    const v = ${factor("s")};
    ${step("v", k)}
  }`;
  return `function (e) {
  ${lines(orders.map((j) => `let c${j} = ${smallestSum(k)};`))}
  ${steps}
  ${lines(select(orders))}
  return result;
}`;
}

/** [coefficients 1 to k, nodes, rows]: products of up to `radix` polynomials 1 + p_1 X + ... of the level below. */
export function foldSource({ k, radix }: DivisionShape, below: number): string {
  const orders = range(1, k + 1);
  const term = (j: number, i: number): string => (i === j ? `p${j}` : `c${j - i} * p${i}`);
  const steps = orders.toReversed().map(
    (j) =>
      `c${j} += ${range(1, j + 1)
        .map((i) => term(j, i))
        .join(" + ")};`,
  );
  const whole = below % radix === 0;
  return `function (p) {
  ${lines(orders.map((j) => `let c${j} = 0.0;`))}
  for (let s = 0; s < ${Math.min(radix, below)}; s++) {
    ${whole || below < radix ? "" : `if (this.thread.y * ${radix} + s < ${below}) {`}
    ${lines(orders.map((j) => `const p${j} = p[this.thread.z][this.thread.y * ${radix} + s][${j - 1}];`))}
    ${lines(steps)}
    ${whole || below < radix ? "" : "}"}
  }
  ${lines(select(orders))}
  return result;
}`;
}

/** Locals c0 to ck = the product of the others, [1 + coefficients of base]. */
const readBase = (k: number, row: string): string =>
  lines(["let c0 = 1.0;", ...range(1, k + 1).map((j) => `let c${j} = base[${row}][0][${j - 1}];`)]);

const multiply = (k: number): string =>
  lines(
    range(0, k + 1)
      .toReversed()
      .map((j) => (j > 0 ? `c${j} = a * c${j} + b * c${j - 1};` : "c0 = a * c0;")),
  );

/**
 * [coefficients, rows]: P_j / P_k of the product with the group, and 1 / P_k in place of the 1 at j = k.
 */
export function fullSource({ k, group }: DivisionShape): string {
  return `function (base, group) {
  ${readBase(k, "this.thread.y")}
  for (let s = 0; s < ${group}; s++) {
    const v = group[this.thread.y][s];
    const a = v < 0.0 ? -v : 1.0;
    const b = v < 0.0 ? 1.0 : v;
    ${multiply(k)}
  }
  const inverse = 1.0 / c${k};
  ${lines(select(range(0, k)))}
  return this.thread.x === ${k} ? inverse : result * inverse;
}`;
}

/** The derivative from d0 = d_k, d1 = d_{k-1}, d2 = d_{k-2}, each over P_k; the ratio's 1 / P_{k-1} is in the scale. */
const value = (derivative: Derivative, b: string, ab: string): string =>
  derivative === "inclusion" ? `${b} * d1` : `(${ab}) * (d1 * d1 - d2 * d0)`;

/** [width, rows]: the derivative at each class outside the group, times scale[row]. */
export function divideSource({ k }: DivisionShape, derivative: Derivative): string {
  const full = (j: number): string => `full[this.thread.y][${j}]`;
  const steps = range(1, k).map((j) => `const q${j} = ${full(j)} - e * q${j - 1};`);
  return `function (factors, full, scale) {
  const e = factors[this.thread.y][this.thread.x];
  const q0 = ${full(0)};
  ${lines(steps)}
  const d1 = q${k - 1};
  const d2 = ${k > 1 ? `q${k - 2}` : "0.0"};
  const d0 = 1.0 - e * d1;
  return scale[this.thread.y] * (${value(derivative, "e", "e")});
}`;
}

/** [group, rows]: the derivative at each entry of the group, times scale[row]. */
export function groupSource({ k, group }: DivisionShape, derivative: Derivative): string {
  return `function (base, group, full, scale) {
  ${readBase(k, "this.thread.y")}
  for (let s = 0; s < ${group}; s++) {
    const v = group[this.thread.y][s];
    const a = this.thread.x === s ? 1.0 : (v < 0.0 ? -v : 1.0);
    const b = this.thread.x === s ? 0.0 : (v < 0.0 ? 1.0 : v);
    ${multiply(k)}
  }
  const own = group[this.thread.y][this.thread.x];
  const ownA = own < 0.0 ? -own : 1.0;
  const ownB = own < 0.0 ? 1.0 : own;
  const inverse = full[this.thread.y][${k}];
  const d0 = c${k} * inverse;
  const d1 = c${k - 1} * inverse;
  const d2 = ${k > 1 ? `c${k - 2} * inverse` : "0.0"};
  return scale[this.thread.y] * (${value(derivative, "ownB", "ownA * ownB")});
}`;
}
