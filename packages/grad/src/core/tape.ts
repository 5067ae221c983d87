/**
 * Traced values, and how a primitive acts on them.
 *
 * vjp (vjp.ts) runs a function on traced values instead of arrays. Each primitive that meets one computes with the value
 * inside and returns a new traced value, which remembers where it came from: its parents, and for each a function that
 * pulls a cotangent of the result back to a cotangent of that parent. That memory is the whole tape. Nothing else holds
 * it: it lives as long as the results do.
 *
 * Nesting: each running vjp has a trace of its own, at a level one above the vjp around it. A primitive unwraps only the
 * arguments of the highest level and applies itself to what is inside, which may be traced at a lower level, down to
 * plain arrays. Rules are made of primitives and act on the unwrapped values, so a backward pass at one level is recorded
 * by the level below, and derivatives of derivatives need no further code. As in HIPS autograd.
 */
import type { NdArray } from "ndarray";
import { copyOf, type FloatArray, isNdArray, wrap } from "../arrays/layout.ts";
import { checkForNaN, inRuleOf } from "./nan-guard.ts";
import { noteMade, sharesMemory } from "./ownership.ts";

/** An array, or a value that stands for one inside a function that is being differentiated. */
export type Tensor = NdArray | Traced;
/** What primitives take: numbers are scalars without a precision of their own. */
export type Operand = Tensor | number;

/** A value under one vjp, and how it came about. */
export class Traced {
  /** The value itself: an array, or a traced value of a lower level. */
  readonly value: Operand;
  readonly trace: Trace;
  readonly parents: readonly Parent[];
  /** Counts up: a result has a higher number than its parents. */
  readonly serial: number;

  constructor(value: Operand, trace: Trace, parents: readonly Parent[]) {
    this.value = value;
    this.trace = trace;
    this.parents = parents;
    this.serial = serials++;
  }

  get shape(): number[] {
    return shapeOf(this.value);
  }
}

let serials = 0;

interface Parent {
  readonly of: Traced;
  /** Cotangent of the result -> cotangent of the parent. */
  readonly pull: (cotangent: Tensor) => Tensor;
}

/** One running vjp. */
export interface Trace {
  readonly level: number;
  running: boolean;
}

let depth = 0;
/** Above 0 while a primitive works on what a caller cannot see: inside a traced value, or in a rule. */
let hidden = 0;

function unseen<T>(f: () => T): T {
  hidden++;
  try {
    return f();
  } finally {
    hidden--;
  }
}

/** Runs f under a trace of its own. */
export function withTrace<T>(f: (trace: Trace) => T): T {
  const trace = { level: ++depth, running: true };
  try {
    return f(trace);
  } finally {
    trace.running = false;
    depth--;
  }
}

/**
 * Pulls a cotangent of the answer back to one argument: (cotangent, answer, ...arguments) -> cotangent of that
 * argument. Written with primitives, so that it can be differentiated itself.
 */
export type Rule<A extends readonly unknown[]> = (cotangent: Tensor, answer: Tensor, ...args: A) => Tensor;

/** An argument's type when all of its traces are unwrapped. */
type Unwrapped<A extends readonly unknown[]> = { [I in keyof A]: Operand extends A[I] ? FloatArray | number : A[I] };

export interface Primitive<A extends readonly unknown[]> {
  /** Names the primitive in error messages. */
  readonly name: string;
  /**
   * Computes the answer from arrays and numbers, none of which it may change; in new memory, or as a view of an
   * argument, which is copied before a caller sees it.
   */
  readonly forward: (...args: Unwrapped<A>) => NdArray;
  /** Name and rule of each argument that is an operand, in order; null where it has no derivative. */
  readonly vjps: Readonly<Record<string, Rule<A> | null>>;
}

/**
 * Makes a differentiable function of a forward computation and its vector-Jacobian products. Arguments beyond those that
 * `vjps` lists are passed on as they are.
 *
 * @throws (the function made) TypeError if an operand is neither a number nor an ndarray of floats.
 *
 * @example
 * const cube = defineVjp<[Operand]>({
 *   name: "cube",
 *   forward: (x) => mul(mul(x, x), x) as NdArray,
 *   vjps: { x: (g, _answer, x) => mul(g, mul(3, mul(x, x))) }, // d x^3 = 3 x^2 dx
 * });
 */
export function defineVjp<A extends readonly unknown[]>(primitive: Primitive<A>): (...args: A) => Tensor {
  const rules = Object.entries(primitive.vjps);
  return (...args) => apply(primitive, rules, args);
}

function apply<A extends readonly unknown[]>(
  primitive: Primitive<A>,
  rules: [string, Rule<A> | null][],
  args: A,
): Tensor {
  let trace: Trace | undefined;
  for (const argument of args) {
    if (!(argument instanceof Traced)) continue;
    if (!argument.trace.running) throw new Error(`${primitive.name}: a traced value was used after its vjp had ended`);
    if (trace === undefined || argument.trace.level > trace.level) trace = argument.trace;
  }
  if (trace === undefined) {
    for (const [i, [name]] of rules.entries()) checkOperand(primitive.name, name, args[i]);
    const answer = primitive.forward(...(args as unknown as Unwrapped<A>)) as FloatArray;
    checkForNaN(primitive.name, answer, args);
    if (!sharesMemory(answer, args)) noteMade(answer);
    else if (hidden === 0) return wrap(copyOf(answer), answer.shape);
    return answer;
  }
  const inner = args.map((a) => (a instanceof Traced && a.trace === trace ? a.value : a)) as unknown as A;
  const answer = unseen(() => apply(primitive, rules, inner));
  const parents: Parent[] = [];
  for (const [i, [name, rule]] of rules.entries()) {
    const argument = args[i];
    if (rule === null || !(argument instanceof Traced) || argument.trace !== trace) continue;
    const pull = (g: Tensor): Tensor => unseen(() => inRuleOf(primitive.name, name, () => rule(g, answer, ...inner)));
    parents.push({ of: argument, pull });
  }
  return new Traced(answer, trace, parents);
}

function checkOperand(caller: string, argument: string, x: unknown): void {
  if (typeof x === "number" || (isNdArray(x) && (x.data instanceof Float64Array || x.data instanceof Float32Array))) {
    return;
  }
  const found = isNdArray(x) ? `an ndarray of ${x.dtype}` : Array.isArray(x) ? "an array" : `a ${typeof x}`;
  throw new TypeError(`${caller}: ${argument} is ${found}, expected a number or an ndarray of float64 or float32`);
}

/** @throws TypeError if x is neither a number nor a tensor. */
export function shapeOf(x: Operand): number[] {
  if (typeof x === "number") return [];
  if (!isTensor(x))
    throw new TypeError(`an operand is ${Array.isArray(x) ? "an array" : typeof x}, expected a number or an ndarray`);
  return x.shape;
}

/** What is inside all traces. */
export function unwrap(x: Operand): FloatArray | number {
  let inner = x;
  while (inner instanceof Traced) inner = inner.value;
  return inner as FloatArray | number;
}

export function isTensor(x: unknown): x is Tensor {
  return x instanceof Traced || isNdArray(x);
}
