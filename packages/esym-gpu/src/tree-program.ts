/**
 * The tree as one chain of kernels, intermediate results on the device: arguments in, one read at the end.
 */
import { type Device, type MakeKernel, type Program, program } from "./device.ts";
import { POWERS_OF_TWO } from "./exponential-kernel.ts";
import {
  type Derivative,
  derivativeSource,
  downSource,
  factorSource,
  leafSource,
  topDownSource,
  upSource,
  weightSource,
} from "./tree-kernels.ts";
import { LEAF, type TreeShape } from "./tree-shape.ts";

/** 'polynomial': no derivative. 'loss': the ratio's derivative times the loss's derivative in z. */
export type TreeTask = "polynomial" | "inclusion" | "ratio" | "loss";

/** Coefficients of a leaf as a whole number of SIMD vectors. */
const padded = (count: number): number => Math.ceil(count / 4) * 4;

/** The polynomial's coefficients 0 to k a row, `stride` numbers apart; the derivative a row, `width` numbers apart. */
export interface TreeProgram {
  run(x: Float32Array, margin: Float32Array | null): Promise<{ full: Float32Array; derivative: Float32Array | null }>;
  readonly stride: number;
  readonly executor: string | null;
  destroy(): Promise<void>;
}

export function treeProgram(device: Device, shape: TreeShape, task: TreeTask): TreeProgram {
  const { rows, k, width, levels } = shape;
  const xSize = [width, rows];
  const stride = levels.length === 1 ? padded(k + 1) : k + 1;
  if (task === "polynomial") {
    const compiled: Program<"full"> = program(device, 1, (make) => {
      const up = upsweep(make, shape);
      return (x) => ({ full: up(x).polynomials[levels.length - 1] });
    });
    return {
      run: async (x) => ({ ...(await compiled.run([[x, xSize]])), derivative: null }),
      stride,
      get executor() {
        return compiled.executor;
      },
      destroy: () => compiled.destroy(),
    };
  }
  const ones = new Float32Array(rows).fill(1);
  const compiled: Program<"full" | "derivative"> = program(device, task === "loss" ? 2 : 1, (make) => {
    const up = upsweep(make, shape);
    const weight = task === "loss" ? make(weightSource(shape), [rows]) : null;
    const down = downsweep(make, shape, task === "loss" ? "ratio" : task);
    return (x, margin) => {
      const { factors, polynomials } = up(x);
      const full = polynomials[levels.length - 1];
      const scale = weight === null ? ones : weight(full, margin, POWERS_OF_TWO);
      return { full, derivative: down(factors, polynomials, scale) };
    };
  });
  return {
    run: (x, margin) =>
      compiled.run(
        margin === null
          ? [[x, xSize]]
          : [
              [x, xSize],
              [margin, [2, rows]],
            ],
      ),
    stride,
    get executor() {
      return compiled.executor;
    },
    destroy: () => compiled.destroy(),
  };
}

function upsweep(
  make: MakeKernel,
  shape: TreeShape,
): (x: unknown) => { factors: unknown; polynomials: readonly unknown[] } {
  const { rows, width, levels } = shape;
  const factor = make(factorSource(), [width, rows]);
  const leaf = make(leafSource(shape), [padded(levels[0].degree + 1), levels[0].nodes, rows]);
  const ups = levels
    .slice(1)
    .map(({ nodes, degree }, above) => make(upSource(shape, above + 1), [nodes, degree + 1, rows]));
  return (x) => {
    const factors = factor(x, POWERS_OF_TWO);
    const polynomials = [leaf(factors)];
    for (const up of ups) polynomials.push(up(polynomials[polynomials.length - 1]));
    return { factors, polynomials };
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
