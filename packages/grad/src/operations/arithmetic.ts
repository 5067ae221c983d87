/**
 * Arithmetic with broadcasting. A rule first computes the cotangent at the common shape, then adds up what broadcasting
 * repeated (sumTo).
 */
import { sumTo } from "../arrays/broadcasting.ts";
import { type BinaryRow, map, type UnaryRow, zip } from "./elementwise.ts";
import {
  asArray,
  commonDtype,
  type Dtype,
  dtypeOf,
  flat,
  type FloatArray,
  inPrecision,
  wrap,
} from "../arrays/layout.ts";
import { defineVjp, type Operand, shapeOf, type Tensor } from "../core/tape.ts";

type Unary = (x: Operand) => Tensor;
type Binary = (x: Operand, y: Operand) => Tensor;

const addRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t) out[o + i] = x[a] + y[b];
};
const subRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t) out[o + i] = x[a] - y[b];
};
const mulRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t) out[o + i] = x[a] * y[b];
};
const divRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t) out[o + i] = x[a] / y[b];
};
const negRow: UnaryRow = (out, o, x, a, s, n) => {
  for (let i = 0; i < n; i++, a += s) out[o + i] = -x[a];
};

/** x + y. */
export const add: Binary = defineVjp<[Operand, Operand]>({
  name: "add",
  forward: (x, y) => zip("add", x, y, addRow),
  // d(x + y) = dx + dy
  vjps: { x: (g, _answer, x) => sumTo(g, shapeOf(x)), y: (g, _answer, _x, y) => sumTo(g, shapeOf(y)) },
});

/** x - y. */
export const sub: Binary = defineVjp<[Operand, Operand]>({
  name: "sub",
  forward: (x, y) => zip("sub", x, y, subRow),
  // d(x - y) = dx - dy
  vjps: { x: (g, _answer, x) => sumTo(g, shapeOf(x)), y: (g, _answer, _x, y) => neg(sumTo(g, shapeOf(y))) },
});

/** Whether a scalar is exactly 1, as the cotangent of every scalar function is that grad is applied to. */
function isOne(x: FloatArray | number): boolean {
  return typeof x === "number" ? x === 1 : x.shape.length === 0 && x.data[x.offset] === 1;
}

/** x y, element by element; where one of them is a scalar 1 of no higher precision, the other as it is. */
export const mul: Binary = defineVjp<[Operand, Operand]>({
  name: "mul",
  forward: (x, y) => {
    const dtype = commonDtype([x, y]);
    if (typeof y !== "number" && isOne(x) && dtypeOf(y) === dtype) return y;
    if (typeof x !== "number" && isOne(y) && dtypeOf(x) === dtype) return x;
    return zip("mul", x, y, mulRow);
  },
  // d(x y) = y dx + x dy
  vjps: {
    x: (g, _answer, x, y) => sumTo(mul(g, y), shapeOf(x)),
    y: (g, _answer, x, y) => sumTo(mul(g, x), shapeOf(y)),
  },
});

/** x / y, element by element. */
export const div: Binary = defineVjp<[Operand, Operand]>({
  name: "div",
  forward: (x, y) => zip("div", x, y, divRow),
  // d(x / y) = (dx - (x / y) dy) / y
  vjps: {
    x: (g, _answer, x, y) => sumTo(div(g, y), shapeOf(x)),
    y: (g, answer, _x, y) => neg(sumTo(div(mul(g, answer), y), shapeOf(y))),
  },
});

/** -x. */
export const neg: Unary = defineVjp<[Operand]>({
  name: "neg",
  forward: (x) => map(x, negRow),
  // d(-x) = -dx
  vjps: { x: (g) => neg(g) },
});

/** x to a constant power p, element by element: x^p. For a variable exponent write exp(mul(p, log(x))). */
export const pow: (x: Operand, p: number) => Tensor = defineVjp<[Operand, number]>({
  name: "pow",
  forward: (x, p) => {
    if (typeof p !== "number") throw new TypeError(`pow: p is a ${typeof p}, expected a constant number`);
    return map(x, (out, o, data, a, s, n) => {
      for (let i = 0; i < n; i++, a += s) out[o + i] = data[a] ** p;
    });
  },
  // d x^p = p x^(p-1) dx; x^0 is constant, at x = 0 too
  vjps: { x: (g, _answer, x, p) => (p === 0 ? mul(g, 0) : mul(g, mul(p, pow(x, p - 1)))) },
});

/** x in another precision. */
export const cast: (x: Operand, dtype: Dtype) => Tensor = defineVjp<[Operand, Dtype]>({
  name: "cast",
  forward: (x, dtype) => {
    const array = asArray(x);
    if (dtypeOf(array) === dtype) return array;
    return wrap(inPrecision(flat(array), dtype), array.shape);
  },
  // linear; a gradient takes the precision of its primal where it is handed out (vjp.ts)
  vjps: { x: (g) => g },
});
