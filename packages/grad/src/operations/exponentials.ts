/**
 * Exponential, logarithm and their relatives, element by element. A derivative is written in the form that does not
 * cancel: logistic(x) logistic(-x), not s (1 - s).
 */
import { add, div, mul, neg } from "./arithmetic.ts";
import { map, type UnaryRow } from "./elementwise.ts";
import { defineVjp, type Operand, type Rule, type Tensor } from "../core/tape.ts";

type Unary = (x: Operand) => Tensor;

function unary(name: string, row: UnaryRow, rule: Rule<[Operand]>): Unary {
  return defineVjp<[Operand]>({ name, forward: (x) => map(x, row), vjps: { x: rule } });
}

/** e^x. */
export const exp: Unary = unary(
  "exp",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.exp(x[a]);
  },
  (g, answer) => mul(g, answer), // d e^x = e^x dx
);

/** e^x - 1, right for small x too. */
export const expm1: Unary = unary(
  "expm1",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.expm1(x[a]);
  },
  (g, _answer, x) => mul(g, exp(x)), // d (e^x - 1) = e^x dx
);

/** log x. */
export const log: Unary = unary(
  "log",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.log(x[a]);
  },
  (g, _answer, x) => div(g, x), // d log x = dx / x
);

/** log(1 + x), right for small x too. */
export const log1p: Unary = unary(
  "log1p",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.log1p(x[a]);
  },
  (g, _answer, x) => div(g, add(1, x)), // d log(1 + x) = dx / (1 + x)
);

/** The square root of x. */
export const sqrt: Unary = unary(
  "sqrt",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.sqrt(x[a]);
  },
  (g, answer) => div(g, mul(2, answer)), // d sqrt(x) = dx / (2 sqrt(x))
);

/** softplus(x) = log(1 + e^x). */
export const softplus: Unary = unary(
  "softplus",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.max(x[a], 0) + Math.log1p(Math.exp(-Math.abs(x[a])));
  },
  (g, _answer, x) => mul(g, logistic(x)), // d log(1 + e^x) = e^x / (1 + e^x) dx
);

/** logistic(x) = 1 / (1 + e^-x), right relative to itself on both sides. */
export const logistic: Unary = unary(
  "logistic",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) {
      const e = Math.exp(-Math.abs(x[a]));
      out[o + i] = (x[a] >= 0 ? 1 : e) / (1 + e);
    }
  },
  (g, answer, x) => mul(g, mul(answer, logistic(neg(x)))), // d l(x) = l(x) l(-x) dx
);

/** tanh x. */
export const tanh: Unary = unary(
  "tanh",
  (out, o, x, a, s, n) => {
    for (let i = 0; i < n; i++, a += s) out[o + i] = Math.tanh(x[a]);
  },
  // d tanh x = 4 l(2x) l(-2x) dx with l = logistic; 1 - tanh^2 would cancel
  (g, _answer, x) => mul(g, mul(mul(4, logistic(mul(2, x))), logistic(mul(-2, x)))),
);
