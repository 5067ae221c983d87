/**
 * Reverse mode: run a function on traced values, then walk back from the result, handing each value's cotangent to its
 * parents.
 */
import { add, cast, mul } from "../operations/arithmetic.ts";
import { broadcastTo } from "../arrays/broadcasting.ts";
import { asArray, copyOf, dtypeOf, type FloatArray, isNdArray, show, wrap } from "../arrays/layout.ts";
import { momentNow, wasMadeSince } from "./ownership.ts";
import { isTensor, type Operand, shapeOf, type Tensor, Traced, unwrap, withTrace } from "./tape.ts";
import { leavesOf, type Like, withLeaves } from "./tree.ts";

/** A value and how to pull its cotangents back. */
export interface Vjp<P extends readonly unknown[]> {
  readonly value: Tensor;
  /** Cotangent of the value -> cotangents of the primals, trees like them. May be called more than once. */
  readonly vjp: (cotangent: Operand) => { [I in keyof P]: Like<P[I]> };
}

interface UntypedVjp {
  readonly value: Tensor;
  readonly vjp: (cotangent: Operand) => unknown[];
}

/**
 * The value of f at the primals and its vector-Jacobian product there.
 *
 * @param f        made of the primitives of this package; its arguments are like the primals.
 * @param primals  trees of arrays and numbers. Not mutated.
 * @returns the cotangents have the shapes and precisions of the primals. They may share memory with each other, not
 *          with anything passed in, and neither does the value.
 * @throws TypeError if f returns no tensor; RangeError naming both shapes if a cotangent does not have that of the value.
 *
 * Costs the work of f and a small multiple of it for each pull-back; holds all intermediate values until dropped.
 *
 * @example
 * const { value, vjp: pull } = vjp(exp, x);
 * const [cotangent] = pull(v); // v exp(x)
 */
export function vjp<P extends readonly unknown[], X extends P>(f: (...primals: P) => Operand, ...primals: X): Vjp<X> {
  return pullback(f as never, primals) as Vjp<X>;
}

/** {@link vjp} without its types. */
export function pullback(f: (...primals: unknown[]) => Operand, primals: readonly unknown[]): UntypedVjp {
  const leaves = leavesOf("vjp", primals).map(({ leaf }) => leaf);
  return withTrace((trace) => {
    const started = momentNow();
    const inputs = leaves.map((leaf) => new Traced(leaf, trace, []));
    const output: unknown = f(...(withLeaves(primals, inputs) as unknown[]));
    if (typeof output !== "number" && !isTensor(output)) {
      throw new TypeError(`vjp: the function returned a ${typeof output}, expected a tensor or a number`);
    }
    const traced = output instanceof Traced && output.trace === trace ? output : null;
    const value = owned(asTensor(traced === null ? output : traced.value), started);
    const pull = (cotangent: Operand): unknown[] => {
      const [found, expected] = [shapeOf(cotangent), shapeOf(value)].map(show);
      if (found !== expected) {
        throw new RangeError(`vjp: the cotangent has shape ${found}, expected that of the value, ${expected}`);
      }
      const seed = cast(cotangent, dtypeOf(asArray(unwrap(value))));
      const began = momentNow();
      const cotangents = traced === null ? new Map<Traced, Tensor>() : backward(traced, seed);
      const ofPrimals = inputs.map((input, i) =>
        handedOut(cotangents.get(input) ?? zerosLike(leaves[i]), leaves[i], began),
      );
      return withLeaves(primals, ofPrimals) as unknown[];
    };
    return { value, vjp: pull };
  });
}

/** The cotangents of all values that have no parents, under the given one of the root. */
function backward(root: Traced, cotangent: Tensor): Map<Traced, Tensor> {
  const cotangents = new Map<Traced, Tensor>([[root, cotangent]]);
  for (const node of ancestors(root)) {
    if (node.parents.length === 0) continue;
    const g = cotangents.get(node) as Tensor;
    cotangents.delete(node);
    for (const { of, pull } of node.parents) {
      const others = cotangents.get(of);
      const contribution = pull(g);
      cotangents.set(of, others === undefined ? contribution : add(others, contribution));
    }
  }
  return cotangents;
}

/** The root and all that it came from, each before its parents. */
function ancestors(root: Traced): Traced[] {
  const found = new Set([root]);
  for (const node of found) for (const { of } of node.parents) found.add(of);
  return [...found].toSorted((a, b) => b.serial - a.serial);
}

/** A cotangent in the precision of its primal and in memory of its own. */
function handedOut(cotangent: Tensor, primal: Operand, began: number): Operand {
  const inner = unwrap(primal);
  const inPrecision = typeof inner === "number" ? cotangent : cast(cotangent, dtypeOf(inner));
  if (isNdArray(inPrecision) && typeof primal === "number") return (inPrecision as FloatArray).data[inPrecision.offset];
  return owned(inPrecision, began);
}

/** An array in memory that no caller holds. */
function owned(x: Tensor, since: number): Tensor {
  return !isNdArray(x) || wasMadeSince(since, x) ? x : wrap(copyOf(x as FloatArray), x.shape);
}

function zerosLike(x: Operand): Tensor {
  return mul(0, broadcastTo(0, shapeOf(x)));
}

function asTensor(x: Operand): Tensor {
  return typeof x === "number" ? wrap(Float64Array.of(x), []) : x;
}
