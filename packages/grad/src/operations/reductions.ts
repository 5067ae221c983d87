/**
 * Sums, means, maxima and log-sum-exp along axes: the axes given disappear, and without any the result is a scalar.
 */
import { add, div, mul, sub } from "./arithmetic.ts";
import { type Axes, reducedShapes } from "../arrays/axes.ts";
import { broadcastTo, sumTo } from "../arrays/broadcasting.ts";
import { type BinaryRow, zip } from "./elementwise.ts";
import { log } from "./exponentials.ts";
import { allocate, asArray, dtypeOf, sizeOf, stretched, walk, wrap } from "../arrays/layout.ts";
import { reshape } from "./shapes.ts";
import { defineVjp, type Operand, shapeOf, type Tensor, unwrap } from "../core/tape.ts";

/** The sum along axes; in doubles, rounded once to the precision of x. */
export function sum(x: Operand, axes?: Axes): Tensor {
  const { kept, dropped } = reducedShapes("sum", axes, shapeOf(x));
  return reshape(sumTo(asTensor(x), kept), dropped);
}

/** The mean along axes. */
export function mean(x: Operand, axes?: Axes): Tensor {
  const total = sum(x, axes);
  return div(total, sizeOf(shapeOf(x)) / sizeOf(shapeOf(total)));
}

/**
 * The largest element along axes. Where several tie, each gets an equal share of the cotangent.
 */
export function max(x: Operand, axes?: Axes): Tensor {
  const { kept, dropped } = reducedShapes("max", axes, shapeOf(x));
  return reshape(maxTo(x, kept), dropped);
}

const maxTo = defineVjp<[Operand, readonly number[]]>({
  name: "max",
  forward: (x, shape) => {
    const array = asArray(x);
    const out = allocate(dtypeOf(array), sizeOf(shape)).fill(-Infinity);
    const { data } = array;
    walk(array.shape, [array, stretched(wrap(out, shape), array.shape)], (at, n, [step, outStep]) => {
      for (let i = 0, a = at[0], o = at[1]; i < n; i++, a += step, o += outStep) {
        if (!(data[a] <= out[o])) out[o] = data[a];
      }
    });
    return wrap(out, shape);
  },
  // d max = dx at the largest element, locally; ties share it
  vjps: {
    x: (g, answer, x) => {
      const largest = zip("max", unwrap(x), unwrap(answer), equalRow);
      return mul(largest, div(g, sumTo(largest, shapeOf(answer))));
    },
  },
});

const equalRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t) out[o + i] = x[a] === y[b] ? 1 : 0;
};

/**
 * log sum exp(x) along axes, without overflow; -Infinity where all of x is.
 */
export function logSumExp(x: Operand, axes?: Axes): Tensor {
  const { kept, dropped } = reducedShapes("logSumExp", axes, shapeOf(x));
  return reshape(logSumExpTo(x, kept), dropped);
}

const logSumExpTo = defineVjp<[Operand, readonly number[]]>({
  name: "logSumExp",
  forward: (x, shape) => {
    const largest = maxTo(x, shape);
    return unwrap(add(largest, log(sumTo(weights(x, largest), shape)))) as ReturnType<typeof zip>;
  },
  // d log sum exp(x) = sum of exp(x - log sum exp(x)) dx
  vjps: { x: (g, answer, x) => mul(g, weights(x, answer)) },
});

/** exp(x - y), and 0 where x = -Infinity even if y is too. */
const weights = defineVjp<[Operand, Operand]>({
  name: "logSumExp",
  forward: (x, y) => zip("logSumExp", x, y, weightRow),
  // d exp(x - y) = exp(x - y) (dx - dy)
  vjps: {
    x: (g, answer) => mul(g, answer),
    y: (g, answer, _x, y) => sub(0, sumTo(mul(g, answer), shapeOf(y))),
  },
});

const weightRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t)
    out[o + i] = x[a] === -Infinity ? 0 : x[a] === y[b] ? 1 : Math.exp(x[a] - y[b]);
};

function asTensor(x: Operand): Tensor {
  return typeof x === "number" ? broadcastTo(x, []) : x;
}
