import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseByValidation } from "../experiment/choose.ts";
import type { Run } from "../experiment/journal.ts";
import { chosenRuns, meanOf, summarise, temperatureEffects } from "./summary.ts";
import { verdict } from "./verdict.ts";

function run(part: Partial<Run> & Pick<Run, "loss" | "seed">, validation: number, test: number): Run {
  const { noise = 0, fraction = 1, tau = null, learningRate = 0.1 } = part;
  return {
    id: [part.loss, noise, fraction, part.seed, tau, learningRate].join(),
    noise,
    fraction,
    tau,
    learningRate,
    ...part,
    validation: { top1: 0, topk: validation },
    test: { top1: test / 2, topk: test },
    curves: { loss: [], top1: [], topk: [] },
    diverged: false,
    seconds: 1,
    commit: null,
  };
}

describe("the choice", () => {
  const accuracy = fc.record({
    top1: fc.double({ min: 0, max: 1, noNaN: true }),
    topk: fc.constantFrom(0.1, 0.2, 0.3),
  });

  it("is the best top-k on validation, then the best top-1, then the first", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ validation: accuracy }), { minLength: 1 }), (runs) => {
        const chosen = chooseByValidation(runs);
        for (const [i, { validation }] of runs.entries()) {
          const { topk, top1 } = chosen.validation;
          expect(topk > validation.topk || (topk === validation.topk && top1 >= validation.top1)).toBe(true);
          if (topk === validation.topk && top1 === validation.top1) expect(runs.indexOf(chosen)).toBeLessThanOrEqual(i);
        }
      }),
    );
  });

  it("is the same whatever the test says", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ validation: accuracy, test: accuracy }), { minLength: 2 }), (runs) => {
        const reversed = runs.map(({ validation }, i) => ({ validation, test: runs[runs.length - 1 - i].test }));
        expect(reversed.indexOf(chooseByValidation(reversed))).toBe(runs.indexOf(chooseByValidation(runs)));
      }),
    );
  });

  it("waits until every candidate is done", () => {
    const runs = [0.1, 0.2].map((learningRate) => run({ loss: "topk", seed: 1, learningRate }, learningRate, 0.5));
    expect(chosenRuns(runs, 3)).toEqual([]);
    expect(chosenRuns(runs, 2)).toEqual([runs[1]]);
  });
});

describe("the summary", () => {
  it("gives the mean over seeds and its standard error s / sqrt(n)", () => {
    // 1, 2, 3, 6: mean 3, sum of squares 4 + 1 + 0 + 9 = 14, s^2 = 14/3, standard error sqrt(14/12).
    const { mean, standardError } = meanOf([1, 2, 3, 6]);
    expect(mean).toBe(3);
    // Two roundings of a root and a quotient.
    expect(Math.abs((standardError as number) - Math.sqrt(14 / 12))).toBeLessThan(4e-16);
    expect(meanOf([5])).toEqual({ mean: 5, standardError: null });
  });

  it("takes gains seed by seed", () => {
    const chosen = [1, 2, 3].flatMap((seed) => [
      run({ loss: "cross-entropy", seed }, 0, seed / 8),
      run({ loss: "smooth-topk", seed, tau: 1 }, 0, seed / 8 + 0.125),
    ]);
    const [crossEntropy, smooth] = summarise(chosen);
    expect(crossEntropy).toMatchObject({ loss: "cross-entropy", seeds: 3, gain: null, topk: { mean: 0.25 } });
    // The accuracies vary from seed to seed, the differences do not.
    expect(smooth.topk.standardError).toBeGreaterThan(0.05);
    expect(smooth.gain?.topk).toEqual({ mean: 0.125, standardError: 0 });
  });

  it("shows each temperature at the rate that validation chose for it", () => {
    const runs = [0.1, 1].flatMap((tau) =>
      [0.01, 0.1].map((learningRate) =>
        run(
          { loss: "smooth-topk", seed: 1, tau, learningRate },
          tau === learningRate ? 1 : learningRate,
          tau + learningRate,
        ),
      ),
    );
    expect(temperatureEffects(runs, 2).map(({ tau, topk }) => [tau, topk.mean])).toEqual([
      [0.1, 0.2],
      [1, 1.1],
    ]);
  });
});

describe("the verdict", () => {
  const cell = (noise: number, gains: readonly number[]): Run[] =>
    gains.flatMap((gain, i) => [
      run({ loss: "cross-entropy", seed: i, noise }, 0, 0.5),
      run({ loss: "smooth-topk", seed: i, noise, tau: 1 }, 0, 0.5 + gain),
    ]);

  it("says better, worse or undecided by two standard errors", () => {
    const [topk] = verdict(
      summarise([...cell(0, [-0.2, -0.21]), ...cell(0.5, [0.1, -0.1]), ...cell(1, [0.3, 0.31])]),
      5,
    );
    expect(topk).toBe(
      "In top-5 accuracy, on all the training samples, smooth top-5 is better than cross-entropy at noise 1 (+30.5 ± 0.5 points); " +
        "worse than cross-entropy at noise 0 (-20.5 ± 0.5 points); within two standard errors of cross-entropy at noise 0.5 (+0.0 ± 10.0 points).",
    );
  });

  it("concludes nothing from one seed", () => {
    expect(verdict(summarise(cell(1, [0.3])), 5)[0]).toContain("one seed only, which settles nothing");
  });
});
