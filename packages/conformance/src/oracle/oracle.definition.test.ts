/**
 * The oracle against the definitions: sums over all subsets at 2000 bits. Equality to the bit is asked for, not
 * closeness. The definitions' results have more than 1000 good bits, so they differ from a correctly rounded value
 * only for an exact value within 2^-1000 of a midpoint.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDefinition, type Definition } from "../../testing/definition.ts";
import { createOracle, type Oracle } from "./oracle.ts";

let oracle: Oracle;
let definition: Definition;
beforeAll(async () => {
  [oracle, definition] = await Promise.all([createOracle(), createDefinition()]);
});
afterAll(() => {
  oracle.destroy();
  definition.destroy();
});

const RUNS = { numRuns: 40 };
const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -30, max: 30, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, -1, 0.5, 30, -30) },
  { weight: 1, arbitrary: fc.constant(-Infinity) },
);
const row = fc.array(value, { minLength: 1, maxLength: 7 });
const finiteCount = (x: readonly number[]): number => x.filter((v) => v > -Infinity).length;
/** Rows with k up to 5 and no more than their finite entries. */
const rowAndOrder = row
  .filter((x) => finiteCount(x) > 0)
  .chain((x) => fc.tuple(fc.constant(x), fc.integer({ min: 1, max: Math.min(5, finiteCount(x)) })));
const vector = (n: number): fc.Arbitrary<number[]> =>
  fc.array(fc.oneof(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom(0, 1)), {
    minLength: n,
    maxLength: n,
  });
const lossCase = fc
  .record({
    scores: fc.array(value, { minLength: 2, maxLength: 7 }).filter((s) => finiteCount(s) > 1),
    pick: fc.nat(),
    wish: fc.nat(),
    tau: fc.oneof(fc.double({ min: 0.25, max: 8, noNaN: true }), fc.constantFrom(1, 0.3)),
    alpha: fc.oneof(fc.double({ min: 0, max: 3, noNaN: true }), fc.constantFrom(1, 0)),
  })
  .map(({ scores, pick, wish, tau, alpha }) => {
    const there = scores.flatMap((s, i) => (s > -Infinity ? [i] : []));
    return { scores, label: there[pick % there.length], k: 1 + (wish % Math.min(5, there.length - 1)), tau, alpha };
  });

describe("equal to the sums over all subsets, bit for bit:", () => {
  it("logEsp", () => {
    fc.assert(
      fc.property(row, fc.nat(), (x, wish) => {
        const k = wish % (Math.min(5, x.length) + 1);
        expect([...oracle.logEsp(x, k)]).toEqual(definition.logEsp(x, k));
      }),
      RUNS,
    );
  });

  it("inclusionProbabilities", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        expect([...oracle.inclusionProbabilities(x, k)]).toEqual(definition.inclusionProbabilities(x, k));
      }),
      RUNS,
    );
  });

  it("logEspVjp", () => {
    fc.assert(
      fc.property(
        rowAndOrder.chain(([x, k]) => fc.tuple(fc.constant(x), vector(k + 1))),
        ([x, cotangent]) => {
          const product = oracle.logEspVjp(x, cotangent.length - 1, cotangent);
          expect([...product]).toEqual(definition.logEspVjp(x, cotangent));
        },
      ),
      RUNS,
    );
  });

  it("logEspHvp", () => {
    fc.assert(
      fc.property(
        rowAndOrder.chain(([x, k]) => fc.tuple(fc.constant(x), fc.constant(k), vector(x.length))),
        ([x, k, v]) => {
          expect([...oracle.logEspHvp(x, k, v)]).toEqual(definition.logEspHvp(x, k, v));
        },
      ),
      RUNS,
    );
  });

  it("logEspRatio", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const { value: ratio, grad } = oracle.logEspRatio(x, k);
        expect({ value: ratio, grad: [...grad] }).toEqual(definition.logEspRatio(x, k));
      }),
      RUNS,
    );
  });

  it("smoothTopkLoss, by the formula that counts the margin in every subset without the label", () => {
    fc.assert(
      fc.property(lossCase, ({ scores, label, ...parameters }) => {
        const { loss, grad } = oracle.smoothTopkLoss(scores, label, parameters);
        expect({ loss, grad: [...grad] }).toEqual(definition.smoothTopkLoss(scores, label, parameters));
      }),
      RUNS,
    );
  });

  it("crossEntropy", () => {
    fc.assert(
      fc.property(lossCase, ({ scores, label }) => {
        const { loss, grad } = oracle.crossEntropy(scores, label);
        expect({ loss, grad: [...grad] }).toEqual(definition.crossEntropy(scores, label));
      }),
      RUNS,
    );
  });
});

it("logEspHvp is the derivative of the inclusion probabilities, by differences with a step of 2^-500", () => {
  const small = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      small.chain((x) => fc.tuple(fc.constant(x), fc.integer({ min: 1, max: x.length }), vector(x.length))),
      ([x, k, v]) => {
        const differences = definition.hvpByDifferences(x, k, v);
        oracle.logEspHvp(x, k, v).forEach((h, i) => {
          // The square of the step is 2^-1000; one rounding for the double.
          expect(Math.abs(h - differences[i])).toBeLessThanOrEqual(2 ** -53 * Math.abs(h) + 2 ** -900);
        });
      },
    ),
    RUNS,
  );
});
