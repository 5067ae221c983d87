/**
 * Sums, means, maxima and log-sum-exp along axes: the axes given disappear, and without any the result is a scalar.
 */
import { cast, div, mul, sub } from "./arithmetic.ts";
import { type Axes, reducedShapes } from "../arrays/axes.ts";
import { broadcastTo, sumTo } from "../arrays/broadcasting.ts";
import { type BinaryRow, zip } from "./elementwise.ts";
import {
  allocate,
  asArray,
  dtypeOf,
  type FloatArray,
  inPrecision,
  sizeOf,
  stretched,
  walk,
  wrap,
} from "../arrays/layout.ts";
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
        // A NaN wins, and stays: no comparison with it holds.
        if (data[a] > out[o] || data[a] !== data[a]) out[o] = data[a];
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
    const { array, largest, sums } = exponentials(x, shape);
    const out = sums.map((total, i) => largest.data[i] + Math.log(total));
    return wrap(inPrecision(out, dtypeOf(array)), shape);
  },
  // d log sum exp(x) = sum of softmax(x) dx; exp(x - log sum exp(x)) would lose |x| units in the last place
  vjps: { x: (g, answer, x) => mul(g, softmax(x, shapeOf(answer))) },
});

/** exp(x) over its sum along the axes that the shape drops: sums to 1 there; 0 where all of x is -Infinity. */
const softmax = defineVjp<[Operand, readonly number[]]>({
  name: "logSumExp",
  forward: (x, shape) => {
    const { array, terms, sums } = exponentials(x, shape);
    const out = zip("logSumExp", terms, wrap(sums, shape), shareRow);
    return wrap(inPrecision(out.data, dtypeOf(array)), array.shape);
  },
  // d s = s (dx - sum of s dx)
  vjps: {
    x: (g, answer, _x, shape) => {
      const weighted = mul(g, answer);
      return sub(weighted, mul(answer, sumTo(weighted, shape)));
    },
  },
});

/** exp(x - largest), largest and the sums of those along the axes that the shape drops; in doubles. */
function exponentials(x: FloatArray | number, shape: readonly number[]) {
  const array = asArray(x);
  const largest = unwrap(maxTo(array, shape)) as FloatArray;
  const wide = unwrap(cast(array, "float64"));
  const terms = zip("logSumExp", wide, largest, weightRow);
  return { array, largest, terms, sums: Float64Array.from((unwrap(sumTo(terms, shape)) as FloatArray).data) };
}

const weightRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t)
    out[o + i] = x[a] === -Infinity ? 0 : x[a] === y[b] ? 1 : Math.exp(x[a] - y[b]);
};

const shareRow: BinaryRow = (out, o, x, a, s, y, b, t, n) => {
  for (let i = 0; i < n; i++, a += s, b += t) out[o + i] = x[a] === 0 ? 0 : x[a] / y[b];
};

function asTensor(x: Operand): Tensor {
  return typeof x === "number" ? broadcastTo(x, []) : x;
}
