/**
 * The program for small orders: runs, folds, the group, then every class by division.
 */
import type { Device, MakeKernel } from "./device.ts";
import { program } from "./device.ts";
import { divideSource, foldSource, fullSource, groupSource, runSource } from "./division-kernels.ts";
import type { DivisionShape } from "./division-shape.ts";
import { POWERS_OF_TWO } from "./exponential-kernel.ts";
import { factorSource, rowSource } from "./row-kernels.ts";
import type { RowProgram, Task } from "./row-program.ts";

/** A whole number of SIMD vectors. */
const padded = (count: number): number => Math.ceil(count / 4) * 4;

const NONE = new Float32Array(0);

export function divisionProgram(device: Device, shape: DivisionShape, task: Task): RowProgram {
  const { rows, k, width } = shape;
  if (task === "polynomial") {
    const stride = padded(k);
    const compiled = program<"base">(device, 1, (make) => {
      const factors = factorKernel(device, make, [width, rows]);
      const product = fold(device, make, shape);
      return (x) => ({ base: product(factors(x)) });
    });
    return {
      width,
      group: 0,
      async run({ x }) {
        const { base } = await compiled.run([[x, [width, rows]]]);
        const coefficient = (b: number, j: number): number => (j === 0 ? 1 : base[b * stride + j - 1]);
        return {
          coefficient,
          ratio: (b) => Math.log(coefficient(b, k) / coefficient(b, k - 1)),
          inRange: () => true,
          derivative: NONE,
          groupDerivative: NONE,
        };
      },
      get executor() {
        return compiled.executor;
      },
      destroy: () => compiled.destroy(),
    };
  }
  const { group } = shape;
  const stride = padded(k + 1);
  const compiled = program<"full" | "derivative" | "groupDerivative">(device, 2, (make) => {
    const factors = factorKernel(device, make, [width, rows]);
    const groupFactors = factorKernel(device, make, [group, rows]);
    const product = fold(device, make, shape);
    const full = make(fullSource(shape), [stride, rows]);
    const scale = scaleKernel(make, shape, task);
    const derivative = task === "inclusion" ? task : "ratio";
    const divide = make(divideSource(shape, derivative), [width, rows]);
    const apart = make(groupSource(shape, derivative), [group, rows]);
    return (x, g) => {
      const e = factors(x);
      const v = groupFactors(g);
      const base = product(e);
      const all = full(base, v);
      const scales = scale(all);
      return { full: all, derivative: divide(e, all, scales), groupDerivative: apart(base, v, all, scales) };
    };
  });
  return {
    width,
    group,
    async run({ x, group: g }) {
      const result = await compiled.run([
        [x, [width, rows]],
        [g, [group, rows]],
      ]);
      // Coefficients are over coefficient k.
      const ratio = (b: number): number => -Math.log(result.full[b * stride + k - 1]);
      return { ...result, ratio, coefficient: () => NaN, inRange: () => true };
    },
    get executor() {
      return compiled.executor;
    },
    destroy: () => compiled.destroy(),
  };
}

/** The identity where the host has computed the exponentials. */
export function factorKernel(device: Device, make: MakeKernel, size: readonly number[]): (x: unknown) => unknown {
  if (device.exponentials === "host") return (x) => x;
  const kernel = make(factorSource(), size);
  return (x) => kernel(x, POWERS_OF_TWO);
}

function fold({ mode }: Device, make: MakeKernel, shape: DivisionShape): (factors: unknown) => unknown {
  const { rows, k, folds } = shape;
  const runs = make(runSource(shape, mode === "webasm" || mode === "cpu"), [padded(k), folds[0], rows]);
  const levels = folds.slice(1).map((nodes, level) => make(foldSource(shape, folds[level]), [padded(k), nodes, rows]));
  return (factors) => {
    let product = runs(factors);
    for (const level of levels) product = level(product);
    return product;
  };
}

function scaleKernel(make: MakeKernel, shape: DivisionShape, task: Task): (full: unknown) => unknown {
  const { rows, k } = shape;
  if (task === "inclusion") {
    const ones = new Float32Array(rows).fill(1);
    return () => ones;
  }
  const reciprocal = make(rowSource(`1.0 / full[this.thread.x][${k - 1}]`), [rows]);
  return (full) => reciprocal(full);
}
