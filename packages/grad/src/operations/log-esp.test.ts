/**
 * The fused primitives against the same function composed of elementary ones.
 */
import { errorInU } from "@smooth-topk/conformance";
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { composedLogEsp } from "../../testing/composed-log-esp.ts";
import { stridedArray } from "../../testing/strided-arrays.ts";
import {
  type FloatArray,
  grad,
  logEsp,
  logEspRatio,
  mul,
  type Operand,
  slice,
  sub,
  sum,
  type Tensor,
} from "../index.ts";

type Scalar = (x: Tensor) => Operand;
const unit = { min: -1, max: 1 };

/** The derivatives of f at x in the directions w_1, w_1 w_2, ..., and the gradient of the last. */
function derivatives(f: Scalar, x: FloatArray, w: readonly FloatArray[]): { values: number[]; gradient: Float64Array } {
  let last = f;
  const functions = [f];
  for (const direction of w) {
    const gradient = grad(last);
    last = (t) => sum(mul(direction, gradient(t)));
    functions.push(last);
  }
  const number = (value: Operand): number => (value as FloatArray).get();
  return { values: functions.map((g) => number(g(x))), gradient: grad(last)(x).data as Float64Array };
}

const cases = fc.integer({ min: 1, max: 8 }).chain((n) =>
  fc.integer({ min: 1, max: n }).chain((k) =>
    fc.record({
      k: fc.constant(k),
      x: stridedArray([n], { min: -4, max: 4 }),
      v: stridedArray([k + 1], unit),
      w: fc.tuple(stridedArray([n], unit), stridedArray([n], unit)),
    }),
  ),
);

/**
 * In u: each log-sum-exp weight of the composed tree errs by 4 |x| + k + 8 relative (its argument is a difference of numbers up to
 * 4 k; |x| <= 4), in each of at most 3 levels; a derivative of order m is made of products of at most m of them in each of
 * at most 5 (Bell's number of 3) groups of terms, and every group is at most k^m, since |w| <= 1; summed over the
 * k + 1 orders of |v| <= 1.
 */
function allowance(k: number, m: number): number {
  return 3 * (4 * 4 * k + k + 8) * (m + 1) * 5 * k ** m * (k + 1);
}

function expectSameDerivatives(fused: Scalar, composed: Scalar, x: FloatArray, k: number, w: FloatArray[]): void {
  const actual = derivatives(fused, x, w);
  const expected = derivatives(composed, x, w);
  for (const [m, value] of actual.values.entries()) {
    expect(errorInU(value, expected.values[m], 1), `order ${m}`).toBeLessThanOrEqual(allowance(k, m));
  }
  for (const [i, value] of actual.gradient.entries()) {
    expect(errorInU(value, expected.gradient[i], 1), `order 3, entry ${i}`).toBeLessThanOrEqual(allowance(k, 3));
  }
}

describe("fused and composed", () => {
  it("log sigma agree in value and derivatives of order 1, 2 and 3", () => {
    fc.assert(
      fc.property(cases, ({ k, x, v, w }) =>
        expectSameDerivatives(
          (t) => sum(mul(v, logEsp(t, k))),
          (t) => sum(mul(v, composedLogEsp(t, k))),
          x,
          k,
          w,
        ),
      ),
      { numRuns: 20 },
    );
  });

  it("log-ratios agree in value and derivatives of order 1, 2 and 3", () => {
    const order = (x: Tensor, j: number): Operand => slice(x, [j], [j + 1]);
    fc.assert(
      fc.property(cases, ({ k, x, w }) =>
        expectSameDerivatives(
          (t) => logEspRatio(t, k),
          (t) => {
            const logSigma = composedLogEsp(t, k);
            return sum(sub(order(logSigma, k), order(logSigma, k - 1)));
          },
          x,
          k,
          w,
        ),
      ),
      { numRuns: 20 },
    );
  });
});

describe("a masked row", () => {
  it("has derivatives of 0 at its removed entries, and none where sigma_j = 0", () => {
    const x = ndarray(Float64Array.of(1, -Infinity, 2, -Infinity), [4]);
    const gradient = grad((t: Tensor) => sum(mul(ndarray(Float64Array.of(1, 1, 1, 1), [4]), logEsp(t, 3))))(x);
    // sigma_3 = 0; sigma_2 has the single subset {0, 2}; sigma_1 gives the softmax.
    const p = 1 / (1 + Math.exp(1));
    expect([...gradient.data]).toEqual([expect.closeTo(1 + p, 12), 0, expect.closeTo(2 - p, 12), 0]);
  });

  it("with fewer than k entries left has a log-ratio of -Infinity, all of whose derivatives are 0", () => {
    const x = ndarray(Float64Array.of(1, 2, 3, 1, 2, -Infinity, 1, -Infinity, -Infinity), [3, 3]);
    const f = (t: Tensor): Operand => sum(logEspRatio(t, 2));
    expect([...(logEspRatio(x, 2) as FloatArray).data].map((v) => v === -Infinity)).toEqual([false, false, true]);
    const ones = ndarray(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), [3, 3]);
    let slope = (t: Tensor): Tensor => grad(f)(t);
    for (let order = 1; order <= 3; order++) {
      const found = slope(x) as FloatArray;
      const row = (b: number): number[] => [0, 1, 2].map((i) => found.get(b, i));
      expect(row(2).map(Math.abs)).toEqual([0, 0, 0]);
      expect(Math.abs(row(1)[2])).toBe(0);
      for (const value of [...row(0), row(1)[0], row(1)[1]]) expect(Math.abs(value)).toBeGreaterThan(0);
      const last = slope;
      slope = (t) => grad((s: Tensor) => sum(mul(ones, last(s))))(t);
    }
  });
});
