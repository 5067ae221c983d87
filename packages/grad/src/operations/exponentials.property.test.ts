/**
 * Values and derivatives where the naive formula cancels or overflows.
 */
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import {
  exp,
  expm1,
  type FloatArray,
  grad,
  log,
  log1p,
  logistic,
  logSumExp,
  type Operand,
  softplus,
  sqrt,
  sum,
  tanh,
  type Tensor,
} from "../index.ts";

const u = 2 ** -53;
const number = (x: Operand): number => (x as FloatArray).get();

describe("elementary functions", () => {
  it("are those of Math, in every layout and precision", () => {
    const cases: [string, (x: Operand) => Tensor, (x: number) => number][] = [
      ["exp", exp, Math.exp],
      ["expm1", expm1, Math.expm1],
      ["log", log, Math.log],
      ["log1p", log1p, Math.log1p],
      ["sqrt", sqrt, Math.sqrt],
      ["tanh", tanh, Math.tanh],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.array(fc.double()), fc.boolean(), ([, f, expected], values, single) => {
        const data = single ? Float32Array.from(values) : Float64Array.from(values);
        const actual = f(ndarray(data, [data.length]).step(-1)) as FloatArray;
        expect(actual.data).toEqual(data.map(expected).reverse());
      }),
    );
  });
});

describe("softplus, logistic and tanh", () => {
  const anywhere = fc.double({ min: -700, max: 700, noNaN: true });

  it("have derivatives right relative to themselves, far out on both sides", () => {
    fc.assert(
      fc.property(anywhere, (x) => {
        const e = Math.exp(-Math.abs(x));
        const right = x >= 0 ? 1 : e;
        // Each side takes a handful of roundings of positive terms and exponentials right to an ulp: 16 u.
        const expectRelative = (actual: number, expected: number): void =>
          expect(Math.abs(actual - expected)).toBeLessThanOrEqual(16 * u * Math.abs(expected));
        expectRelative(number(logistic(x)), right / (1 + e));
        expectRelative(grad(softplus)(x), right / (1 + e));
        expectRelative(grad(logistic)(x), e / (1 + e) ** 2);
        const e2 = Math.exp(-Math.abs(x));
        // tanh'(x / 2) = 4 e / (1 + e)^2, exp(-|x|) = e
        expectRelative(grad(tanh)(x / 2), (4 * e2) / (1 + e2) ** 2);
      }),
    );
  });

  it("softplus(x) - softplus(-x) = x", () => {
    fc.assert(
      fc.property(anywhere, (x) => {
        const difference = number(softplus(x)) - number(softplus(-x));
        // Both terms are below |x| + 1 and take three roundings.
        expect(Math.abs(difference - x)).toBeLessThanOrEqual(8 * u * (Math.abs(x) + 1));
      }),
    );
  });
});

describe("logSumExp", () => {
  const values = fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 8 });

  it("moves with its arguments, however large they are", () => {
    fc.assert(
      fc.property(values, fc.constantFrom(-1e6, -1e3, 1e3, 1e6), (x, shift) => {
        const array = (v: number[]): FloatArray => ndarray(Float64Array.from(v), [v.length]);
        const moved = number(logSumExp(array(x.map((v) => v + shift))));
        // Every argument is rounded once at the size of the shift, and so is the result.
        expect(Math.abs(moved - shift - number(logSumExp(array(x))))).toBeLessThanOrEqual(
          16 * u * (Math.abs(shift) + 1010),
        );
      }),
    );
  });

  it("has a gradient that sums to 1, and is 0 for what is not there", () => {
    fc.assert(
      fc.property(values, (x) => {
        const array = ndarray(Float64Array.from([-Infinity, ...x]), [x.length + 1]);
        const slope = grad((t: Tensor) => logSumExp(t))(array);
        expect(slope.get(0)).toBe(0);
        // A weight's argument is rounded at a size up to 2000: the weight errs by 2000 u, and there are fewer than 10.
        expect(Math.abs(number(sum(slope)) - 1)).toBeLessThanOrEqual(2100 * u);
      }),
    );
  });

  it("is -Infinity, with a gradient of 0, where all is masked", () => {
    const x = ndarray(Float64Array.of(-Infinity, -Infinity, 1, 2), [2, 2]);
    expect((logSumExp(x, 1) as FloatArray).get(0)).toBe(-Infinity);
    const slope = grad((t: Tensor) => sum(logSumExp(t, 1)))(x);
    expect([slope.get(0, 0), slope.get(0, 1)]).toEqual([0, 0]);
  });

  it("is +Infinity where an argument is", () => {
    expect(number(logSumExp(ndarray(Float64Array.of(1, Infinity), [2])))).toBe(Infinity);
  });
});
