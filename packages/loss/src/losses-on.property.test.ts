/**
 * The losses on a backend are those of the package: the same numbers on the reference, the same refusals anywhere.
 */
import { cpuBackend, type EspBackend, logEspRatio, type LogEspRatioOptions } from "@smooth-topk/esym";
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { instance } from "../testing/instances.ts";
import {
  crossEntropyValueAndGrad,
  type Labels,
  lossesOn,
  type Scores,
  type SmoothTopkOptions,
  smoothTopkLossValueAndGrad,
  topkLossValueAndGrad,
} from "./index.ts";

/** A backend in single precision that answers later, as a GPU does. */
const single: EspBackend = {
  ...cpuBackend,
  sync: undefined,
  dtype: "float32",
  logEspRatio: async (x, k, options?: LogEspRatioOptions) => {
    await Promise.resolve();
    return logEspRatio(x, k, options);
  },
};

const LOSSES = [
  { name: "smoothTopkLossValueAndGrad", reference: smoothTopkLossValueAndGrad },
  { name: "topkLossValueAndGrad", reference: topkLossValueAndGrad },
  { name: "crossEntropyValueAndGrad", reference: crossEntropyValueAndGrad },
] as const;

describe.each(LOSSES)("$name", ({ name, reference }) => {
  const optionsOf = (options: SmoothTopkOptions): object =>
    name === "crossEntropyValueAndGrad"
      ? {}
      : name === "topkLossValueAndGrad"
        ? { k: options.k, alpha: options.alpha }
        : options;

  it("gives the same on the reference backend, at once and as a promise, to the last bit", async () => {
    await fc.assert(
      fc.asyncProperty(instance, async ({ s, y, k, tau, alpha }) => {
        const options = { ...optionsOf({ k, tau, alpha }), reduction: "none" } as const;
        const expected = reference(s, y, options);
        expect(lossesOn(cpuBackend.sync)[name](s, y, options)).toEqual(expected);
        expect(await lossesOn(cpuBackend)[name](s, y, options)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it("gives gradients in the precision of the backend, whatever the scores and the reduction", async () => {
    const scores = [
      [1, 2, 0.5, -1],
      [NaN, NaN, NaN, NaN],
      [0.25, 3, 1, 0],
    ];
    for (const reduction of ["mean", "sum", "none"] as const) {
      const options = { ...optionsOf({ k: 2, tau: 0.5 }), reduction, ignoreIndex: -1, weights: [1, 1, 0.5] };
      const expected = reference(scores, [0, -1, 2], options);
      const { value, grad } = await lossesOn(single)[name](scores, [0, -1, 2], options);
      expect(value).toEqual(expected.value);
      expect(grad.data).toBeInstanceOf(Float32Array);
      expect([...grad.data]).toEqual([...expected.grad.data].map(Math.fround));
      const out = { loss: new Float64Array(3).fill(7), grad: new Float64Array(12).fill(7) };
      await lossesOn(single)[name](scores, [0, -1, 2], { ...options, out });
      expect([...out.grad]).toEqual([...expected.grad.data]);
    }
  });

  it("rejects what the package refuses, in the same words", async () => {
    const cases: [Scores, Labels, object][] = [
      [[[0, NaN, 1]], [0], { ...optionsOf({ k: 1 }) }],
      [[[0, 1, 2]], [3], { ...optionsOf({ k: 1 }) }],
      [[[0, 1, 2]], [0], { labelSmoothing: 0.1 }],
    ];
    for (const [scores, labels, options] of cases) {
      let message = "";
      try {
        reference(scores, labels, options);
      } catch (error) {
        ({ message } = error as Error);
      }
      expect(message).toMatch(new RegExp(`^${name}: `));
      await expect(lossesOn(cpuBackend)[name](scores, labels, options)).rejects.toThrow(message);
      expect(() => lossesOn(cpuBackend.sync)[name](scores, labels, options)).toThrow(message);
    }
  });
});

it("a batch of which every sample is ignored has the sum 0 and the gradient 0, and asks the backend nothing", async () => {
  const silent = { ...single, logEspRatio: async () => expect.fail("asked") } as EspBackend;
  const options = { k: 2, reduction: "sum", ignoreIndex: 5 } as const;
  const { value, grad } = await lossesOn(silent).smoothTopkLossValueAndGrad([[1, 2, 3]], [5], options);
  expect([value, ...grad.data]).toEqual([0, 0, 0, 0]);
});

it("the accuracy is at hand on every backend, as a promise", async () => {
  const scores = ndarray(Float64Array.of(2, 1, 0, 2, 1, 0), [2, 3]);
  expect(await lossesOn(single).topkAccuracy(scores, [1, 2], { k: 2 })).toBe(0.5);
});
