/**
 * Every primitive: its rule agrees with differences, to second order, at generated shapes and strides.
 */
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { anyShape, type Domain, stridedArray } from "../../testing/strided-arrays.ts";
import * as primitives from "../index.ts";
import { checkGrads, type FloatArray, type Operand, type Tensor, vjp } from "../index.ts";

const positive: Domain = { min: 0.5, max: 2 };
const runs = { numRuns: 15 };

/** A function, and arrays to check it at. */
interface Case {
  readonly f: (...xs: Tensor[]) => Operand;
  readonly at: FloatArray[];
}

function expectRules({ f, at }: Case): void {
  const before = at.map(({ data }) => data.slice());
  expectOwnMemory(f, at);
  // Squared, so that cotangents depend on the arguments too: rules of linear functions have something to differentiate.
  checkGrads((xs: readonly Tensor[]) => primitives.pow(f(...xs), 2), at, { order: 2 });
  expect(at.map(({ data }) => data)).toEqual(before);
}

/** Writing to what a primitive returns, or to what vjp hands out, changes no argument. */
function expectOwnMemory(f: Case["f"], at: FloatArray[]): void {
  const buffers = at.map(({ data }) => data.buffer);
  const { value, vjp: pull } = vjp(f, ...at);
  const cotangents = pull(value);
  for (const result of [f(...at), value, ...cotangents] as FloatArray[])
    expect(buffers).not.toContain(result.data.buffer);
}

const unary: readonly [string, (x: Operand) => Tensor, Domain?][] = [
  ["neg", primitives.neg],
  ["exp", primitives.exp],
  ["expm1", primitives.expm1],
  ["log", primitives.log, positive],
  ["log1p", primitives.log1p, { min: -0.5, max: 2 }],
  ["sqrt", primitives.sqrt, positive],
  ["softplus", primitives.softplus, { min: -20, max: 20 }],
  ["logistic", primitives.logistic, { min: -20, max: 20 }],
  ["tanh", primitives.tanh, { min: -10, max: 10 }],
  ["relu", primitives.relu],
];

/** Two shapes that broadcast: dimensions of the larger one dropped or set to 1. */
const broadcasting = fc
  .tuple(anyShape, fc.nat(3), fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 3, maxLength: 3 }))
  .map(([shape, drop, ones]) => ({
    x: shape.map((extent, d) => (ones[d][0] ? 1 : extent)),
    y: shape.map((extent, d) => (ones[d][1] ? 1 : extent)).slice(Math.min(drop, shape.length)),
  }));

const pairs = (domain?: Domain): fc.Arbitrary<FloatArray[]> =>
  broadcasting.chain(({ x, y }) => fc.tuple(stridedArray(x, domain), stridedArray(y, domain)));

const withAxis = anyShape
  .filter((shape) => shape.length > 0)
  .chain((shape) =>
    fc.record({ x: stridedArray(shape), axis: fc.integer({ min: -shape.length, max: shape.length - 1 }) }),
  );

const integers = (below: number, count: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(below - 1), { minLength: count, maxLength: count });

const side = fc.integer({ min: 1, max: 2 });
const images = fc.record({
  shape: fc.tuple(side, side, fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 4 })),
  size: fc.tuple(side, side),
  stride: fc.tuple(side, side),
  padding: fc.tuple(fc.nat(2), fc.nat(2)),
});

const others: Record<string, fc.Arbitrary<Case>> = {
  add: pairs().map((at) => ({ f: primitives.add, at })),
  sub: pairs().map((at) => ({ f: primitives.sub, at })),
  mul: pairs().map((at) => ({ f: primitives.mul, at })),
  div: pairs(positive).map((at) => ({ f: primitives.div, at })),
  pow: fc
    .tuple(
      anyShape.chain((shape) => stridedArray(shape, positive)),
      fc.constantFrom(-1, 0, 0.5, 1, 2, 3),
    )
    .map(([x, p]) => ({ f: (t) => primitives.pow(t, p), at: [x] })),
  sum: withAxis.map(({ x, axis }) => ({ f: (t) => primitives.sum(t, axis), at: [x] })),
  mean: withAxis.map(({ x, axis }) => ({ f: (t) => primitives.mean(t, axis), at: [x] })),
  max: withAxis.map(({ x, axis }) => ({ f: (t) => primitives.max(t, axis), at: [x] })),
  logSumExp: withAxis.map(({ x, axis }) => ({ f: (t) => primitives.logSumExp(t, axis), at: [x] })),
  "logSumExp over all": withAxis.map(({ x }) => ({ f: (t) => primitives.logSumExp(t), at: [x] })),
  broadcastTo: broadcasting.chain(({ x, y }) =>
    stridedArray(y).map((array) => ({
      f: (t) =>
        primitives.broadcastTo(t, [2, ...x.map((extent, d) => Math.max(extent, y[d - x.length + y.length] ?? 1))]),
      at: [array],
    })),
  ),
  reshape: withAxis.map(({ x }) => ({ f: (t) => primitives.reshape(t, [1, -1]), at: [x] })),
  transpose: withAxis.map(({ x }) => ({ f: (t) => primitives.transpose(t), at: [x] })),
  "transpose of given axes": stridedArray([2, 3, 2]).map((x) => ({
    f: (t) => primitives.transpose(t, [1, -1, 0]),
    at: [x],
  })),
  slice: stridedArray([4, 3]).map((x) => ({
    f: (t) => primitives.slice(t, [1, -2], [3]),
    at: [x],
  })),
  concatenate: fc
    .tuple(stridedArray([2, 1, 2]), stridedArray([2, 3, 2]))
    .map((at) => ({ f: (...xs) => primitives.concatenate(xs, 1), at })),
  gather: fc.tuple(stridedArray([2, 4, 2]), integers(4, 6)).map(([x, list]) => ({
    f: (t) => primitives.gather(t, ndarray(Int32Array.from(list), [2, 3]), 1),
    at: [x],
  })),
  takeAlongAxis: fc.tuple(stridedArray([2, 4, 2]), integers(4, 12)).map(([x, list]) => ({
    f: (t) => primitives.takeAlongAxis(t, ndarray(Int32Array.from(list), [2, 3, 2]), 1),
    at: [x],
  })),
  matmul: fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .chain(([m, k, n]) => fc.tuple(stridedArray([m, k]), stridedArray([k, n])))
    .map((at) => ({ f: primitives.matmul, at })),
  "matmul of vectors": fc
    .tuple(stridedArray([3]), stridedArray([3, 2]), stridedArray([2]))
    .map((at) => ({ f: (a, b, c) => primitives.matmul(primitives.matmul(a, b), c), at })),
  conv2d: images.chain(({ shape, size, stride, padding }) =>
    fc
      .tuple(stridedArray(shape), stridedArray([2, shape[1], ...size]))
      .map(([x, w]) => ({ f: (a: Tensor, b: Tensor) => primitives.conv2d(a, b, { stride, padding }), at: [x, w] })),
  ),
  maxPool2d: images.chain(({ shape, size, stride }) =>
    stridedArray(shape).map((x) => ({
      f: (t) => primitives.maxPool2d(t, { size, stride }),
      at: [x],
    })),
  ),
  avgPool2d: images.chain(({ shape, size, stride }) =>
    stridedArray(shape).map((x) => ({
      f: (t) => primitives.avgPool2d(t, { size, stride }),
      at: [x],
    })),
  ),
  logEsp: logEspCases(primitives.logEsp, 0),
  logEspRatio: logEspCases(primitives.logEspRatio, 1),
};

function logEspCases(f: (x: Tensor, k: number) => Tensor, lowest: number): fc.Arbitrary<Case> {
  return fc
    .record({ batch: fc.constantFrom([], [2]), n: fc.integer({ min: 1, max: 5 }), order: fc.nat(5) })
    .chain(({ batch, n, order }) =>
      stridedArray([...batch, n]).map((x) => ({ f: (t: Tensor) => f(t, Math.max(lowest, order % (n + 1))), at: [x] })),
    );
}

const all: [string, fc.Arbitrary<Case>][] = [
  ...unary.map(([name, f, domain]): [string, fc.Arbitrary<Case>] => [
    name,
    anyShape.chain((shape) => stridedArray(shape, domain)).map((x) => ({ f, at: [x] })),
  ]),
  ...Object.entries(others),
];

describe("the rule of", () => {
  it.each(all)("%s agrees with differences of value and gradient", (_name, cases) => {
    expect(() => fc.assert(fc.property(cases, expectRules), runs)).not.toThrow();
  });
});

/**
 * Value and cotangents for a cotangent of ones, which have to be in the precision of the arguments.
 */
function evaluated({ f, at }: Case): Float64Array[] {
  const { value, vjp: pull } = vjp(f, ...at);
  const found = [value as FloatArray, ...pull(primitives.broadcastTo(1, value.shape))];
  expect(found.map(({ data }) => data.constructor)).toEqual(found.map(() => at[0].data.constructor));
  return found.map((x) => Float64Array.from((primitives.add(x, 0) as FloatArray).data));
}

describe("in single precision", () => {
  it.each(all)("%s differs from double precision by its roundings", (_name, cases) => {
    fc.assert(
      fc.property(cases, ({ f, at }) => {
        const single = at.map((x) => primitives.cast(x, "float32") as FloatArray);
        const double = single.map((x) => primitives.cast(x, "float64") as FloatArray);
        const [actual, expected] = [single, double].map((xs) => evaluated({ f, at: xs }));
        for (const [r, values] of expected.entries()) {
          // Sums are taken in doubles; a value or a rule rounds at most a dozen times, on numbers of the size of the
          // result or, in logarithms and exponents, of an argument, which is at most 20: 12 + 20 roundings, times 2 for
          // squares.
          const allowed = 64 * 2 ** -24 * values.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
          for (const [i, v] of values.entries()) expect(Math.abs(actual[r][i] - v)).toBeLessThanOrEqual(allowed);
        }
      }),
      runs,
    );
  });
});
