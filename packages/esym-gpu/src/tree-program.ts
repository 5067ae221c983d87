/**
 * The tree as one chain of kernels, intermediate results on the device: arguments in, one read at the end.
 */
import { type Device, type MakeKernel, program } from "./device.ts";
import { factorKernel } from "./division-program.ts";
import type { RowProgram, Task } from "./row-program.ts";
import { type Derivative, derivativeSource, downSource, leafSource, topDownSource, upSource } from "./tree-kernels.ts";
import { LEAF, type TreeShape } from "./tree-shape.ts";

/** Coefficients of a leaf as a whole number of SIMD vectors. */
const padded = (count: number): number => Math.ceil(count / 4) * 4;

const NONE = new Float32Array(0);

/**
 * Smallest coefficient k that keeps its digits: what it is the sum of lies down to 1e-7 of it, and products of single
 * precision end at 1e-38. Orders of more than half of some hundred classes pass it, where no centre serves both the
 * largest coefficient and coefficient k.
 */
const SMALLEST = 1e-31;

export function treeProgram(device: Device, shape: TreeShape, task: Task): RowProgram {
  const { rows, k, width, levels } = shape;
  const root = levels.length - 1;
  const stride = root === 0 ? padded(k + 1) : k + 1;
  const ones = new Float32Array(rows).fill(1);
  const compiled = program<"full" | "derivative">(device, 1, (make) => {
    const factors = factorKernel(device, make, [width, rows]);
    const up = upsweep(make, shape);
    if (task === "polynomial") {
      return (x) => {
        const full = up(factors(x))[root];
        return { full, derivative: full };
      };
    }
    const down = downsweep(make, shape, task);
    return (x) => {
      const v = factors(x);
      const polynomials = up(v);
      return { full: polynomials[root], derivative: down(v, polynomials, ones) };
    };
  });
  return {
    width,
    group: 0,
    async run({ x }) {
      const { full, derivative } = await compiled.run([[x, [width, rows]]]);
      return {
        coefficient: (b, j) => full[b * stride + j],
        ratio: (b) => Math.log(full[b * stride + k] / full[b * stride + k - 1]),
        inRange: (b) =>
          full[b * stride + k] > SMALLEST && full[b * stride + k - 1] > SMALLEST && full[b * stride + k] < Infinity,
        derivative: task === "polynomial" ? NONE : derivative,
        groupDerivative: NONE,
      };
    },
    get executor() {
      return compiled.executor;
    },
    destroy: () => compiled.destroy(),
  };
}

/** The polynomials of all levels, from the leaves to the root. */
function upsweep(make: MakeKernel, shape: TreeShape): (factors: unknown) => readonly unknown[] {
  const { rows, levels } = shape;
  const leaf = make(leafSource(shape), [padded(levels[0].degree + 1), levels[0].nodes, rows]);
  const ups = levels
    .slice(1)
    .map(({ nodes, degree }, above) => make(upSource(shape, above + 1), [nodes, degree + 1, rows]));
  return (factors) => {
    const polynomials = [leaf(factors)];
    for (const up of ups) polynomials.push(up(polynomials[polynomials.length - 1]));
    return polynomials;
  };
}

function downsweep(
  make: MakeKernel,
  shape: TreeShape,
  derivative: Derivative,
): (factors: unknown, polynomials: readonly unknown[], scale: unknown) => unknown {
  const { rows, k, levels } = shape;
  const root = levels.length - 1;
  const downs = levels
    .slice(0, root)
    .map(({ nodes, lowest }, level) =>
      make(level === root - 1 ? topDownSource(shape) : downSource(shape, level), [nodes, k - lowest + 1, rows]),
    );
  const leaves = make(derivativeSource(shape, derivative), [LEAF, levels[0].nodes, rows]);
  return (factors, polynomials, scale) => {
    const full = polynomials[root];
    if (root === 0) return leaves(factors, full, scale);
    let outside = downs[root - 1](polynomials[root - 1]);
    for (let level = root - 2; level >= 0; level--) outside = downs[level](polynomials[level], outside);
    return leaves(factors, full, outside, scale);
  };
}
