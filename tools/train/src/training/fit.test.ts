import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { describe, expect, it } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import type { Settings } from "../experiment/identity.ts";
import type { Candidate, Combination } from "../experiment/plan.ts";
import { MODELS } from "./model.ts";
import { type LossBackend, LOSSES } from "./trained-loss.ts";
import { syntheticDataset } from "../data/synthetic.ts";
import { type Means, setUp, trial, type Trial } from "../experiment/trial.ts";

/** Classes that a straight line tells apart, 20 of them in 4 super-classes, as images of 1 x 6 x 4. */
const flat = syntheticDataset({
  superClasses: 4,
  classesPerSuperClass: 5,
  samplesPerClass: 16,
  superClassSpread: 3,
  classSpread: 2,
});
const dataset: Dataset = { ...flat, shape: [1, 6, 4] };
const settings: Settings = {
  model: "mlp",
  hidden: 16,
  epochs: 5,
  batchSize: 16,
  momentum: 0.9,
  weightDecay: 1e-4,
  k: 3,
  alpha: 1,
  taus: [1],
  learningRates: [0.05],
};
const combination: Combination = { loss: "smooth-topk", noise: 0.2, fraction: 1, seed: 3 };
const candidate: Candidate = { tau: 1, learningRate: 0.05 };
const means: Means = { pause: async () => {}, backend: undefined, commit: null };

function train(part: Partial<Settings & Combination & Candidate> = {}, data: Dataset = dataset): Promise<Trial> {
  const own = { ...settings, ...part };
  const cell = { ...combination, ...part };
  return trial(data, own, setUp(data, own, cell), { ...candidate, ...part }, means);
}
const timeless = ({ run }: Trial): unknown => ({ ...run, seconds: 0 });

describe("training", () => {
  it("is the same to the last bit for a seed, and another for another", async () => {
    const [once, again, other] = [await train(), await train(), await train({ seed: 4 })];
    expect(timeless(again)).toEqual(timeless(once));
    expect(again.weights).toEqual(once.weights);
    expect(other.run.curves).not.toEqual(once.run.curves);
  });

  // Guessing has top-1 accuracy 1/20 and top-3 accuracy 3/20. On 80 test samples a binomial of 3/20 exceeds 1/2 with
  // probability below exp(-2 * 80 * 0.35^2) < 4e-9 (Hoeffding), one of 1/20 exceeds 1/3 with less.
  it.each(MODELS.flatMap((model) => LOSSES.map((loss) => ({ model, loss }))))(
    "a $model model by $loss does better than guessing",
    async ({ model, loss }) => {
      const { run } = await train({
        model,
        loss,
        tau: loss === "smooth-topk" ? 1 : null,
        noise: 0,
        epochs: 10,
        learningRate: 0.02,
      });
      expect(run.test.topk).toBeGreaterThan(0.5);
      expect(run.test.top1).toBeGreaterThan(1 / 3);
      expect(run.curves.loss[9]).toBeLessThan(run.curves.loss[0]);
      expect(run.diverged).toBe(false);
    },
  );

  it("sees nothing of the test: other test samples change neither weights, curves nor validation", async () => {
    const { split } = setUp(dataset, settings, combination);
    const size = 24;
    const inputs = Float32Array.from(dataset.inputs);
    const labels = Int32Array.from(dataset.labels);
    for (const i of split.test) inputs.fill(1e6, i * size, (i + 1) * size);
    const spoilt = await train({}, { ...dataset, inputs, labels });
    const clean = await train();
    expect(spoilt.weights).toEqual(clean.weights);
    expect(spoilt.run.curves).toEqual(clean.run.curves);
    expect(spoilt.run.validation).toEqual(clean.run.validation);
    expect(spoilt.run.test).not.toEqual(clean.run.test);
  });

  it("sees the noisy labels of training samples, and validates on true ones", async () => {
    const clean = await train({ noise: 0 });
    const noisy = await train({ noise: 1 });
    expect(noisy.run.curves).not.toEqual(clean.run.curves);
    // At noise 1 a label says nothing but its super-class: no model has more than chance, 1/5, to tell siblings apart,
    // and 0.5 is 4.9 standard deviations of 60 validation samples above it (sqrt(0.2 * 0.8 / 60) = 0.052).
    expect(noisy.run.validation.top1).toBeLessThan(0.5);
    expect(clean.run.validation.top1).toBeGreaterThan(0.5);
  });

  it("by a backend follows the same path, to the rounding of its gradients", async () => {
    let calls = 0;
    const backend: LossBackend = {
      name: "rows",
      valueAndGrad: async (scores, labels, { k, tau, alpha }) => {
        calls += 1;
        return smoothTopkLossValueAndGrad(scores, labels, { k, tau, alpha, reduction: "none" });
      },
    };
    const cell = { ...combination, noise: 0 };
    const once = { ...settings, epochs: 1 };
    const bench = setUp(dataset, once, cell);
    const { weights } = await trial(dataset, once, bench, candidate, { ...means, backend });
    const here = await trial(dataset, once, bench, candidate, means);
    expect(calls).toBe(Math.ceil(bench.split.training.length / settings.batchSize));
    // Dividing by the batch after rather than before costs a gradient one rounding, 2^-53 of itself; a dozen steps of
    // gradients below 1 at rates below 1 carry less than 1e-10 of that into a weight.
    for (const [name, { data }] of Object.entries(weights)) {
      const expected = here.weights[name].data as Float64Array;
      (data as Float64Array).forEach((w, i) => expect(Math.abs(w - expected[i])).toBeLessThan(1e-10));
    }
  });

  it("that leaves the finite numbers ends, and counts as worth nothing", async () => {
    const { run } = await train({ learningRate: 1e200 });
    expect(run.diverged).toBe(true);
    expect([run.validation, run.test]).toEqual([
      { top1: 0, topk: 0 },
      { top1: 0, topk: 0 },
    ]);
  });

  it("divides the learning rate by ten at half and at three quarters of the epochs", async () => {
    // Without momentum and decay, on one batch of the whole, the step of a linear model is rate times gradient: from the
    // same weights, an epoch at a tenth of the rate moves a tenth as far.
    const whole = { model: "linear", momentum: 0, weightDecay: 0, batchSize: 1e6, noise: 0 } as const;
    const tenth = await train({ ...whole, epochs: 1, learningRate: 1e-9 });
    const schedule = await train({ ...whole, epochs: 4, learningRate: 1e-9 });
    const [one, four] = [tenth, schedule].map(({ weights }) => weights["w"].data as Float64Array);
    // Epochs of 4 run at 1, 1, 1/10, 1/100 of the rate; the only epoch of 1 at 1: at such a rate the gradient stays as it
    // is, to 1e-6. 0 >= 1/2 of one epoch is false, so its rate is whole.
    const largest = one.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    four.forEach((v, i) => expect(Math.abs(v - 2.11 * one[i])).toBeLessThan(1e-5 * largest));
  });
});
