import { describe, expect, it } from "vitest";
import { mutants } from "../../testing/ports/mutants.ts";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { type CounterExample, fuzz } from "./fuzz.ts";
import type { EspInput, LossInput } from "../vectors/vector-file.ts";

/** The shrunk counter-example of a mutant, which has to exist. */
async function counterExampleOf(name: string, filter: RegExp): Promise<CounterExample> {
  const mutant = mutants.find((candidate) => candidate.name === name);
  const options = { count: 40, seed: 1, dtypes: ["float64"] as const, filter, shrinkSeconds: 4 };
  const { passed, counterExample } = await fuzz(() => portOfSteps(mutant?.steps), options);
  expect(passed).toBe(false);
  return counterExample as CounterExample;
}

describe("fuzzing", () => {
  it("passes a straightforward port in all precisions, on cases of its own seed", async () => {
    const run = await fuzz(() => portOfSteps(), { count: 80, seed: 7 });
    expect(run.failures).toEqual([]);
    expect(run.passed).toBe(true);
    expect(run.outcomes.length).toBe(80);
    expect(run.counterExample).toBeUndefined();
  });

  it("draws the same cases for the same seed, and others for another", async () => {
    const inputs = async (seed: number): Promise<string[]> => {
      const { outcomes } = await fuzz(() => portOfSteps(), { count: 20, seed });
      return outcomes.map((outcome) => JSON.stringify(outcome.case.input)).sort();
    };
    const [once, again, other] = [await inputs(3), await inputs(3), await inputs(4)];
    expect(again).toEqual(once);
    expect(other.filter((input) => once.includes(input))).toEqual([]);
  });

  // The smallest case that shows a missing 1/k has k = 2, three classes and small numbers.
  it("shrinks a counter-example to few classes and short numbers", async () => {
    const { case: test, reason, text } = await counterExampleOf("a missing 1/k in the scores", /^smooth_topk_loss/);
    const { scores, k } = test.input as LossInput;
    expect(k).toBe(2);
    expect(scores.length).toBe(1);
    expect(scores[0].length).toBe(3);
    for (const s of scores[0]) expect(Number.isInteger(s) && Math.abs(s as number) <= 64).toBe(true);
    expect(reason).toMatch(/^(loss|grad)\[0\].* is .*, expected .*: off by .* u, allowed .* u$/);
    expect(JSON.parse(text)).toEqual(test);
    expect(test.digits?.["loss"][0]).toMatch(/^\d/);
  });

  it("shrinks a direction as well", async () => {
    const { case: test } = await counterExampleOf("the diagonal of the Hessian for the Hessian", /^log_esp_hvp/);
    const { x, v } = test.input as EspInput;
    expect(x[0].length).toBeLessThanOrEqual(3);
    expect(v?.[0].length).toBe(x[0].length);
  });

  it("keeps the rows of a batch where the mistake is between them", async () => {
    const { case: test } = await counterExampleOf("the gradient of the mean over the batch", /^smooth_topk_loss-batch/);
    expect((test.input as LossInput).scores.length).toBeGreaterThan(1);
  });
});
