import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LOSSES } from "../training/trained-loss.ts";
import { candidates, combinations, runId } from "./plan.ts";

const rates = fc.uniqueArray(fc.double({ min: 1e-4, max: 10, noNaN: true }), { minLength: 1, maxLength: 4 });
const taus = fc.uniqueArray(fc.double({ min: 1e-3, max: 10, noNaN: true }), { minLength: 1, maxLength: 4 });

describe("candidates", () => {
  it("are as many for every loss", () => {
    fc.assert(
      fc.property(taus, rates, (temperatures, learningRates) => {
        for (const loss of LOSSES) {
          expect(candidates(loss, temperatures, learningRates).length).toBe(temperatures.length * learningRates.length);
        }
      }),
    );
  });

  it("of the smooth loss are every temperature with every rate", () => {
    expect(candidates("smooth-topk", [0.1, 1], [0.01, 0.1])).toEqual([
      { tau: 0.1, learningRate: 0.01 },
      { tau: 0.1, learningRate: 0.1 },
      { tau: 1, learningRate: 0.01 },
      { tau: 1, learningRate: 0.1 },
    ]);
  });

  it("of a loss without a temperature spread over the range of the rates, evenly in their logarithms", () => {
    expect(candidates("cross-entropy", [0.1, 1], [0.1, 0.01])).toEqual(
      [0.01, 0.02154, 0.04642, 0.1].map((learningRate) => ({ tau: null, learningRate })),
    );
    expect(candidates("topk", [1], [0.3, 0.1])).toEqual(
      [0.3, 0.1].map((learningRate) => ({ tau: null, learningRate })),
    );
    expect(candidates("topk", [0.1, 1, 10], [0.3]).map(({ learningRate }) => learningRate)).toEqual([0.1, 0.3, 0.9]);
  });
});

describe("runs", () => {
  it("have each a name of their own", () => {
    const axes = { losses: LOSSES, noises: [0, 0.5], fractions: [1, 0.5], seeds: [1, 2] };
    const ids = combinations(axes).flatMap((combination) =>
      candidates(combination.loss, [0.1, 1], [0.01, 0.1]).map((candidate) => runId(combination, candidate)),
    );
    expect(ids.length).toBe(3 * 2 * 2 * 2 * 4);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
