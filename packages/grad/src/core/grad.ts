/**
 * Gradients of scalar functions, and Hessians times vectors, from vjp.
 */
import type { NdArray } from "ndarray";
import { add, mul } from "../operations/arithmetic.ts";
import { type FloatArray, isNdArray, show } from "../arrays/layout.ts";
import { sum } from "../operations/reductions.ts";
import { isTensor, type Operand, shapeOf, type Tensor, type Traced } from "./tape.ts";
import { leavesOf, type Like } from "./tree.ts";
import { pullback } from "./vjp.ts";

/** Whether a tree may hold a traced value, as those inside another gradient do. */
type HoldsTraced<X> = Traced extends X
  ? true
  : X extends NdArray | number
    ? false
    : X extends readonly (infer Part)[]
      ? HoldsTraced<Part>
      : true extends { [K in keyof X]: HoldsTraced<X[K]> }[keyof X]
        ? true
        : false;

/** A value and its gradient. */
export interface ValueAndGrad<X> {
  /** A number; inside another gradient a traced tensor of shape []. */
  readonly value: HoldsTraced<X> extends true ? Tensor : number;
  /** A tree like the first argument. */
  readonly grad: Like<X>;
}

/**
 * The value and the gradient of a scalar function in its first argument.
 *
 * @param f  returns a tensor of shape [] (or a number).
 * @returns  a function of the same arguments; the first may be a tree of arrays and numbers.
 * @throws (the function returned) RangeError if f returns another shape.
 *
 * @example
 * const { value, grad } = valueAndGrad((x: Tensor) => sum(mul(x, x)))(ndarray(Float64Array.of(1, 2), [2]));
 * // value: 5, grad.data: 2, 4
 */
export function valueAndGrad<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Operand,
): <X extends P>(x: X, ...rest: R) => ValueAndGrad<X> {
  return untyped(f as never) as never;
}

/** {@link valueAndGrad} without its types. */
function untyped(
  f: (x: unknown, ...rest: unknown[]) => Operand,
): (x: unknown, ...rest: unknown[]) => { value: Tensor | number; grad: unknown } {
  return (x, ...rest) => {
    const { value, vjp: pull } = pullback((at) => scalar(f(at, ...rest)), [x]);
    const [gradient] = pull(1);
    return { value: isNdArray(value) ? (value as FloatArray).data[value.offset] : value, grad: gradient };
  };
}

function scalar(value: Operand): Operand {
  // What is no tensor at all, pullback reports.
  const shape = isTensor(value) ? shapeOf(value) : [];
  if (shape.length > 0)
    throw new RangeError(`grad: the function returned shape ${show(shape)}, expected a scalar, shape []`);
  return value;
}

/**
 * The gradient of a scalar function in its first argument. Applies to its own result: grad(grad(f)).
 *
 * @param f  returns a tensor of shape [] (or a number).
 * @returns  a function of the same arguments; the first may be a tree of arrays and numbers, and the gradient is one like it.
 *
 * @example
 * grad(grad((x: Operand) => pow(x, 3)))(2); // 12
 */
export function grad<P, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Operand,
): <X extends P>(x: X, ...rest: R) => Like<X> {
  const both = untyped(f as never);
  return ((x: unknown, ...rest: R) => both(x, ...rest).grad) as never;
}

/**
 * The Hessian of a scalar function at x times v: the gradient of <grad f(x), v>. Costs a few evaluations of f, whatever
 * the number of parameters.
 *
 * @param v  a tree like x.
 * @returns  a tree like x.
 * @throws RangeError if v has not the structure or a shape of x.
 */
export function hvp<P, X extends P>(f: (x: P) => Operand, x: X, v: NoInfer<Like<X>>): Like<X> {
  checkAlike(x, v);
  const directions = leavesOf("hvp", v).map(({ leaf }) => leaf);
  const both = untyped(f as never);
  const slope = (at: unknown): Operand => {
    const leaves = leavesOf("hvp", both(at).grad).map(({ leaf }) => leaf);
    return leaves.map((leaf, i) => sum(mul(leaf, directions[i]))).reduce((total: Operand, part) => add(total, part), 0);
  };
  return untyped(slope)(x).grad as Like<X>;
}

function checkAlike(x: unknown, v: unknown): void {
  const found = leavesOf("hvp", v);
  const expected = leavesOf("hvp", x);
  const paths = (leaves: typeof found): string => leaves.map(({ path }) => path).join(" ");
  if (paths(found) !== paths(expected)) {
    throw new RangeError(`hvp: v has the leaves ${paths(found)}, expected those of x, ${paths(expected)}`);
  }
  for (const [i, { leaf, path }] of expected.entries()) {
    const shapes = [shapeOf(found[i].leaf), shapeOf(leaf)].map(show);
    if (shapes[0] !== shapes[1]) {
      throw new RangeError(`hvp: v${path} has shape ${shapes[0]}, expected that of x${path}, ${shapes[1]}`);
    }
  }
}
