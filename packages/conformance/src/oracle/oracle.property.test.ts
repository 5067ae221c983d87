/** Properties of the exact functions that survive correct rounding: most of them to the bit. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOracle, type Oracle } from "./oracle.ts";

const U = 2 ** -53;

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

/** Rows of all scales with ties, removed and dominant entries. */
const row = (minLength: number): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.constantFrom(0.01, 1, 30, 1000, 2 ** 20, 2 ** 40),
      fc.array(
        fc.oneof(
          { weight: 6, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
          { weight: 2, arbitrary: fc.constantFrom(0, 0.5, -0.5, 1) },
          { weight: 1, arbitrary: fc.constant(-Infinity) },
        ),
        { minLength, maxLength: 24 },
      ),
    )
    .map(([scale, entries]) => entries.map((v) => v * scale))
    .filter((x) => finiteCount(x) >= minLength);
const finiteCount = (x: readonly number[]): number => x.filter((v) => v > -Infinity).length;
const rowAndOrder = row(1).chain((x) => fc.tuple(fc.constant(x), fc.integer({ min: 1, max: finiteCount(x) })));
const lossCase = row(2).chain((scores) =>
  fc.record({
    scores: fc.constant(scores),
    label: fc.constantFrom(...scores.flatMap((s, i) => (s > -Infinity ? [i] : []))),
    k: fc.integer({ min: 1, max: finiteCount(scores) - 1 }),
    tau: fc.constantFrom(1, 0.1, 0.001, 10, 1 / 3),
    alpha: fc.constantFrom(1, 0, 0.3),
  }),
);
const permutation = <T>(array: readonly T[], order: readonly number[]): T[] => order.map((i) => array[i]);
const orderOf = (n: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i),
    { minLength: n, maxLength: n },
  );
const sum = (array: ArrayLike<number>): number => Array.from(array).reduce((total, v) => total + v, 0);
const absolute = (array: ArrayLike<number>): number => sum(Array.from(array, Math.abs));
/** Doubles within `values` roundings of each other: n summands rounded once each, n additions. */
const expectSum = (array: ArrayLike<number>, expected: number): void => {
  expect(Math.abs(sum(array) - expected)).toBeLessThanOrEqual(2 * array.length * U * absolute(array));
};

describe("sums that are known", () => {
  it("inclusion probabilities lie in [0, 1] and sum to k", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const pi = oracle.inclusionProbabilities(x, k);
        expectSum(pi, k);
        pi.forEach((p) => expect(p >= 0 && p <= 1).toBe(true));
      }),
    );
  });

  it("the gradient of the ratio is nonnegative and sums to 1", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const { grad } = oracle.logEspRatio(x, k);
        expectSum(grad, 1);
        grad.forEach((g) => expect(g).toBeGreaterThanOrEqual(0));
      }),
    );
  });

  it("the gradient of a loss sums to 0, is at most 0 at the label and at least 0 elsewhere", () => {
    fc.assert(
      fc.property(lossCase, ({ scores, label, ...parameters }) => {
        for (const { grad } of [
          oracle.smoothTopkLoss(scores, label, parameters),
          oracle.topkLoss(scores, label, parameters),
          oracle.crossEntropy(scores, label),
        ]) {
          expectSum(grad, 0);
          grad.forEach((g, i) => expect(i === label ? -g : g).toBeGreaterThanOrEqual(0));
        }
      }),
    );
  });

  it("the Hessian times a constant is exactly 0", () => {
    fc.assert(
      fc.property(rowAndOrder, fc.double({ min: -9, max: 9, noNaN: true }), ([x, k], c) => {
        expect([
          ...oracle.logEspHvp(
            x,
            k,
            x.map(() => c),
          ),
        ]).toEqual(x.map(() => 0));
      }),
    );
  });
});

describe("to the bit", () => {
  it("permuting the entries permutes the results", () => {
    fc.assert(
      fc.property(
        lossCase.chain((one) => fc.tuple(fc.constant(one), orderOf(one.scores.length))),
        ([{ scores, label, ...parameters }, order]) => {
          const { k } = parameters;
          const moved = permutation(scores, order);
          const v = scores.map((_, i) => (i % 5) - 2.3);
          expect(oracle.logEsp(moved, k)).toEqual(oracle.logEsp(scores, k));
          expect([...oracle.inclusionProbabilities(moved, k)]).toEqual(
            permutation([...oracle.inclusionProbabilities(scores, k)], order),
          );
          expect([...oracle.logEspHvp(moved, k, permutation(v, order))]).toEqual(
            permutation([...oracle.logEspHvp(scores, k, v)], order),
          );
          const one = oracle.smoothTopkLoss(scores, label, parameters);
          const other = oracle.smoothTopkLoss(moved, order.indexOf(label), parameters);
          expect({ ...other, grad: [...other.grad] }).toEqual({ ...one, grad: permutation([...one.grad], order) });
        },
      ),
    );
  });

  it("entries of -Infinity may as well be left out", () => {
    fc.assert(
      fc.property(lossCase, ({ scores, label, ...parameters }) => {
        const there = scores.flatMap((s, i) => (s > -Infinity ? [i] : []));
        const dense = permutation(scores, there);
        const { k } = parameters;
        expect(permutation([...oracle.inclusionProbabilities(scores, k)], there)).toEqual([
          ...oracle.inclusionProbabilities(dense, k),
        ]);
        const one = oracle.smoothTopkLoss(scores, label, parameters);
        const other = oracle.smoothTopkLoss(dense, there.indexOf(label), parameters);
        expect({ ...one, grad: permutation([...one.grad], there) }).toEqual({ ...other, grad: [...other.grad] });
      }),
    );
  });

  it("adding to all scores a constant that rounds nothing changes no loss and no gradient", () => {
    const dyadic = fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), { minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(dyadic, fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), fc.constantFrom(2 ** -16, 1), (s, c, unit) => {
        const scores = s.map((v) => v * unit);
        const shifted = s.map((v) => (v + c) * unit);
        const parameters = { k: 2, tau: 0.7, alpha: 0.9 };
        expect(oracle.smoothTopkLoss(shifted, 0, parameters)).toEqual(oracle.smoothTopkLoss(scores, 0, parameters));
        expect(oracle.topkLoss(shifted, 0, parameters)).toEqual(oracle.topkLoss(scores, 0, parameters));
        expect(oracle.crossEntropy(shifted, 0)).toEqual(oracle.crossEntropy(scores, 0));
        expect(oracle.inclusionProbabilities(shifted, 2)).toEqual(oracle.inclusionProbabilities(scores, 2));
      }),
    );
  });

  it("scores, tau and alpha times a power of two: the loss times that power, the same gradient", () => {
    fc.assert(
      fc.property(lossCase, fc.integer({ min: -20, max: 20 }), ({ scores, label, k, tau, alpha }, power) => {
        const f = 2 ** power;
        const one = oracle.smoothTopkLoss(scores, label, { k, tau, alpha });
        const other = oracle.smoothTopkLoss(
          scores.map((s) => s * f),
          label,
          { k, tau: tau * f, alpha: alpha * f },
        );
        expect(other).toEqual({ ...one, loss: one.loss < 1e-300 ? expect.any(Number) : one.loss * f });
      }),
    );
  });

  it("selected entries are the entries of the whole, in the order of the selection", () => {
    fc.assert(
      fc.property(
        lossCase.chain((one) => fc.tuple(fc.constant(one), fc.array(fc.nat({ max: one.scores.length - 1 })))),
        ([{ scores, label, ...parameters }, select]) => {
          const { k } = parameters;
          const cotangent = Array.from({ length: k + 1 }, (_, j) => Math.sin(j));
          const v = scores.map((_, i) => Math.cos(i));
          for (const gradient of [
            (options?: object) => oracle.inclusionProbabilities(scores, k, options),
            (options?: object) => oracle.logEspVjp(scores, k, cotangent, options),
            (options?: object) => oracle.logEspHvp(scores, k, v, options),
            (options?: object) => oracle.logEspRatio(scores, k, options).grad,
            (options?: object) => oracle.smoothTopkLoss(scores, label, parameters, options).grad,
            (options?: object) => oracle.topkLoss(scores, label, parameters, options).grad,
            (options?: object) => oracle.crossEntropy(scores, label, options).grad,
          ]) {
            expect([...gradient({ select })]).toEqual(permutation([...gradient()], select));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("a cotangent of one 1 gives the inclusion probabilities of that order", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const cotangent = Array.from({ length: k + 1 }, (_, j) => (j === k ? 1 : 0));
        expect(oracle.logEspVjp(x, k, cotangent)).toEqual(oracle.inclusionProbabilities(x, k));
      }),
    );
  });
});

describe("relations between functions", () => {
  it("the ratio is the difference of the logarithms, within their rounding", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const logs = oracle.logEsp(x, k);
        const bound = 3 * U * (Math.abs(logs[k]) + Math.abs(logs[k - 1]));
        expect(Math.abs(oracle.logEspRatio(x, k).value - (logs[k] - logs[k - 1]))).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("the Hessian is symmetric, and nonnegative along any direction", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const a = x.map((_, i) => Math.sin(3 * i + 1));
        const b = x.map((_, i) => Math.cos(7 * i));
        const times = (h: ArrayLike<number>, v: number[]): number[] => v.map((c, i) => c * h[i]);
        const [ha, hb] = [oracle.logEspHvp(x, k, a), oracle.logEspHvp(x, k, b)];
        const slack = 2 * x.length * U * (absolute(ha) + absolute(hb));
        expect(Math.abs(sum(times(ha, b)) - sum(times(hb, a)))).toBeLessThanOrEqual(slack);
        expect(sum(times(ha, a))).toBeGreaterThanOrEqual(-slack);
      }),
    );
  });

  it("the smooth loss is within tau log of the number of subsets of the hard loss", () => {
    fc.assert(
      fc.property(lossCase, ({ scores, label, k, tau, alpha }) => {
        const { loss } = oracle.smoothTopkLoss(scores, label, { k, tau, alpha });
        const hard = oracle.topkLoss(scores, label, { k, alpha }).loss;
        const subsets = oracle.logEsp(new Float64Array(finiteCount(scores)), k)[k];
        expect(Math.abs(loss - hard)).toBeLessThanOrEqual(tau * subsets * (1 + 4 * U) + 2 * U * hard);
      }),
    );
  });
});
