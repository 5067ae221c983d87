/**
 * Gradients by differences, to hold the rules of primitives against.
 */
import { add, mul } from "../operations/arithmetic.ts";
import { grad } from "./grad.ts";
import { copyOf, dtypeOf, type FloatArray, isNdArray, rowMajor, sizeOf, wrap } from "../arrays/layout.ts";
import { sum } from "../operations/reductions.ts";
import { type Operand, shapeOf, type Tensor } from "./tape.ts";
import { leavesOf, withLeaves } from "./tree.ts";

export interface CheckOptions {
  /** Derivatives up to this order are checked. Default 1. */
  readonly order?: number | undefined;
  /** Half the distance of the two points of a difference, for |x| <= 1. Default u^(1/3), u the unit roundoff of x. */
  readonly step?: number | undefined;
  /** Default 1000 step^2: differences are off by step^2 |f'''| / 6 and, rounded, by about u |f| / step = step^2 |f|. */
  readonly tolerance?: number | undefined;
}

/** An entry of a gradient, and what differences say about it. */
interface Entry {
  readonly order: number;
  readonly path: string;
  readonly byVjp: number;
  readonly byDifferences: number;
  readonly allowed: number;
}

/**
 * Checks that the gradient of f at x agrees with central differences in every entry. Outputs that are not scalars are
 * summed with fixed weights, and order m + 1 is checked on the gradient of order m, summed likewise.
 *
 * @param f  made of primitives; smooth within a step around x.
 * @param x  a tree of arrays and numbers. Not mutated.
 * @throws Error naming the entry that is off by the largest multiple of what is allowed,
 *         tolerance max(1, |entry|, |sum of weight f|).
 *
 * Two evaluations of f for each number in x and each order.
 */
export function checkGrads<P>(f: (x: P) => Operand, x: P, options: CheckOptions = {}): void {
  const { order = 1 } = options;
  let scalar = weighted(f as (x: unknown) => Operand);
  let worst: Entry | null = null;
  for (let m = 1; m <= order; m++) {
    for (const entry of entriesOf(scalar, x, m, options)) {
      if (worst === null || !(excess(entry) <= excess(worst))) worst = entry;
    }
    const gradient = grad(scalar);
    scalar = weightedLeaves((at) => leavesOf("checkGrads", gradient(at)).map(({ leaf }) => leaf));
  }
  if (worst === null || excess(worst) <= 1) return;
  const { order: m, path, byVjp, byDifferences, allowed } = worst;
  throw new Error(
    `checkGrads: the derivative of order ${m} in x${path} is ${byVjp} by vjp and ${byDifferences} by differences, ` +
      `${Math.abs(byVjp - byDifferences)} apart, expected at most ${allowed}`,
  );
}

function excess({ byVjp, byDifferences, allowed }: Entry): number {
  return Math.abs(byVjp - byDifferences) / allowed;
}

/** Fixed weights without a pattern that a function is likely to have. */
function weightsOf(shape: readonly number[], salt: number): FloatArray {
  return wrap(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(1 + 3.7 * i + 1.3 * salt)),
    shape,
  );
}

function weighted<P>(f: (x: P) => Operand): (x: P) => Operand {
  return weightedLeaves((x: P) => [f(x)]);
}

function weightedLeaves<P>(f: (x: P) => readonly Operand[]): (x: P) => Operand {
  return (x) =>
    f(x)
      .map((leaf, i) => sum(mul(leaf, weightsOf(shapeOf(leaf), i))))
      .reduce((total: Operand, part: Tensor) => add(total, part), 0);
}

function* entriesOf<P>(f: (x: P) => Operand, x: P, order: number, options: CheckOptions): Generator<Entry> {
  const leaves = leavesOf("checkGrads", x);
  const gradients = leavesOf("checkGrads", grad(f)(x)).map(({ leaf }) => leaf);
  const value = Math.abs(numberOf(f(x)));
  for (const [l, { leaf, path }] of leaves.entries()) {
    const single = isNdArray(leaf) && dtypeOf(leaf as FloatArray) === "float32";
    const { step = Math.cbrt(single ? 2 ** -24 : 2 ** -53) } = options;
    const { tolerance = 1000 * step * step } = options;
    const array = isNdArray(leaf) ? (leaf as FloatArray) : wrap(Float64Array.of(leaf as number), []);
    const at = (data: FloatArray["data"]): number => {
      const moved = isNdArray(leaf) ? wrap(data, array.shape) : data[0];
      return numberOf(
        f(
          withLeaves(
            x,
            leaves.map((other, i) => (i === l ? moved : other.leaf)),
          ) as P,
        ),
      );
    };
    const slopes = gradients[l];
    const flatSlopes = isNdArray(slopes) ? copyOf(slopes as FloatArray) : [slopes as number];
    const index = indexOf(array.shape);
    for (let i = 0; i < flatSlopes.length; i++) {
      const upper = copyOf(array);
      const lower = copyOf(array);
      const h = step * Math.max(1, Math.abs(upper[i]));
      upper[i] += h;
      lower[i] -= h;
      const byDifferences = (at(upper) - at(lower)) / (upper[i] - lower[i]);
      const byVjp = flatSlopes[i];
      const allowed = tolerance * Math.max(1, Math.abs(byVjp), value);
      yield { order, path: `${path}${index(i)}`, byVjp, byDifferences, allowed };
    }
  }
}

/** Writes a row-major position as an index. */
function indexOf(shape: readonly number[]): (position: number) => string {
  if (shape.length === 0) return () => "";
  const strides = rowMajor(shape);
  return (position) => `[${shape.map((extent, d) => Math.floor(position / strides[d]) % extent).join(", ")}]`;
}

function numberOf(value: Operand): number {
  if (typeof value === "number") return value;
  const array = value as FloatArray;
  return array.data[array.offset];
}
