/**
 * Gradients of scalar functions, and Hessians times vectors, from vjp.
 */
import type { NdArray } from "ndarray";
import { add, mul } from "./arithmetic.ts";
import { type FloatArray, isNdArray, show } from "./layout.ts";
import { sum } from "./reductions.ts";
import { type Operand, shapeOf, type Tensor } from "./tape.ts";
import { leavesOf, type Like, type Tree } from "./tree.ts";
import { pullback } from "./vjp.ts";

/** Trees without traced values: those outside all gradients. */
type Concrete = NdArray | number | readonly Concrete[] | { readonly [key: string]: Concrete };

/** A value and its gradient. */
export interface ValueAndGrad<X> {
  /** A number; inside another gradient a traced tensor of shape []. */
  readonly value: [X] extends [Concrete] ? number : Tensor;
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
export function valueAndGrad<P extends Tree, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Operand,
): <X extends P>(x: X, ...rest: R) => ValueAndGrad<X> {
  return <X extends P>(x: X, ...rest: R) => {
    const { value, vjp: pull } = pullback((at) => scalar(f(at as P, ...rest)), [x]);
    const [gradient] = pull(1);
    const number = isNdArray(value) ? (value as FloatArray).data[value.offset] : value;
    return { value: number, grad: gradient } as ValueAndGrad<X>;
  };
}

function scalar(value: Operand): Operand {
  const shape = shapeOf(value);
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
export function grad<P extends Tree, R extends readonly unknown[]>(
  f: (x: P, ...rest: R) => Operand,
): <X extends P>(x: X, ...rest: R) => Like<X> {
  const both = valueAndGrad(f);
  return (x, ...rest) => both(x, ...rest).grad;
}

/**
 * The Hessian of a scalar function at x times v: the gradient of <grad f(x), v>. Costs a few evaluations of f, whatever
 * the number of parameters.
 *
 * @param v  a tree like x.
 * @returns  a tree like x.
 * @throws RangeError if v has not the structure or a shape of x.
 */
export function hvp<P extends Tree, X extends P>(f: (x: P) => Operand, x: X, v: NoInfer<Like<X>>): Like<X> {
  checkAlike(x, v);
  const directions = leavesOf("hvp", v).map(({ leaf }) => leaf);
  const gradient = grad(f as (x: Tree) => Operand);
  const slope = (at: Tree): Operand => {
    const leaves = leavesOf("hvp", gradient(at)).map(({ leaf }) => leaf);
    return leaves.map((leaf, i) => sum(mul(leaf, directions[i]))).reduce((total: Operand, part) => add(total, part), 0);
  };
  return grad(slope)<X>(x);
}

function checkAlike(x: Tree, v: Tree): void {
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
