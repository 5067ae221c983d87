import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { glorotUniform, heNormal, type Random } from "../index.ts";

/** A generator of Park and Miller, for its seed. */
function minimal(seed: number): Random {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

/** Mean, variance and standardised fourth moment. */
function moments(x: ArrayLike<number>): [number, number, number] {
  const values = Array.from(x);
  const mean = (of: number[]): number => of.reduce((sum, v) => sum + v, 0) / of.length;
  const variance = mean(values.map((v) => v * v));
  return [mean(values), variance, mean(values.map((v) => v ** 4)) / variance ** 2];
}

const seeds = fc.integer({ min: 1, max: 1e9 });
const count = 10_000;
const runs = { numRuns: 20 };

describe("heNormal", () => {
  it("has variance 2 / fanIn and the fourth moment of a normal distribution", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 500 }), (seed, fanIn) => {
        const [mean, variance, kurtosis] = moments(heNormal([100, 100], fanIn, minimal(seed)).data);
        const sigma2 = 2 / fanIn;
        // Six standard deviations: sigma / sqrt(N) of the mean, sigma^2 sqrt(2 / N) of the variance, sqrt(24 / N) of the kurtosis.
        expect(Math.abs(mean)).toBeLessThan(6 * Math.sqrt(sigma2 / count));
        expect(Math.abs(variance / sigma2 - 1)).toBeLessThan(6 * Math.sqrt(2 / count));
        expect(Math.abs(kurtosis - 3)).toBeLessThan(6 * Math.sqrt(24 / count));
      }),
      runs,
    );
  });

  it("is finite where the generator gives 0", () => {
    expect([...heNormal([3], 2, () => 0).data]).toEqual([-0, -0, -0]);
  });
});

describe("glorotUniform", () => {
  it("lies within sqrt(6 / (fanIn + fanOut)) and has the variance 2 / (fanIn + fanOut)", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 }), (seed, fanIn, fanOut) => {
        const { data } = glorotUniform([count], fanIn, fanOut, minimal(seed));
        const [mean, variance] = moments(data);
        const sigma2 = 2 / (fanIn + fanOut);
        expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(3 * sigma2));
        expect(Math.abs(mean)).toBeLessThan(6 * Math.sqrt(sigma2 / count));
        // The fourth moment of a uniform distribution is 9/5 sigma^4, so the variance has a spread of sigma^2 sqrt(4 / 5 N).
        expect(Math.abs(variance / sigma2 - 1)).toBeLessThan(6 * Math.sqrt(0.8 / count));
      }),
      runs,
    );
  });
});

it("initialisers fill the shape in the precision asked for, the same for the same generator", () => {
  for (const make of [heNormal, (s: number[], f: number, r: Random, d?: "float32") => glorotUniform(s, f, 3, r, d)]) {
    const single = make([2, 3], 2, minimal(1), "float32");
    expect(single.shape).toEqual([2, 3]);
    expect(single.data).toEqual(Float32Array.from(make([6], 2, minimal(1)).data));
  }
});
