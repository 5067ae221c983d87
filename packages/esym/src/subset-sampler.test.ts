import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { describe, expect, it } from "vitest";
import { inclusionProbabilities, type Random, subsetSampler } from "./index.ts";

function seeded(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

/** All k-subsets of [0, n), as joined strings. */
function subsets(n: number, k: number, from = 0): string[] {
  if (k === 0) return [""];
  const out: string[] = [];
  for (let i = from; i < n; i++)
    for (const rest of subsets(n, k - 1, i + 1)) out.push(rest === "" ? `${i}` : `${i},${rest}`);
  return out;
}

describe("subset samples", () => {
  it("have the probabilities of the k-subset distribution", () => {
    const x = [0.2, 1.5, -1, 0, 0.7, -0.3];
    const k = 3;
    const draws = 200_000;
    const draw = subsetSampler(x, k);
    const random = seeded(1);
    const counts = new Map<string, number>();
    for (let d = 0; d < draws; d++) {
      const key = draw(random).join(",");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const all = subsets(x.length, k);
    const weights = all.map((key) => Math.exp(key.split(",").reduce((s, i) => s + x[Number(i)], 0)));
    const total = weights.reduce((s, w) => s + w, 0);
    const chiSquare = all.reduce((s, key, a) => {
      const expected = (draws * weights[a]) / total;
      return s + ((counts.get(key) ?? 0) - expected) ** 2 / expected;
    }, 0);
    // 20 subsets, 19 degrees of freedom: a right sampler passes 43.8 once in 1000 seeds; this seed is fixed.
    expect(all.length).toBe(20);
    expect(chiSquare).toBeLessThan(43.8);
  });

  it.each([
    ["with dominant, tied and removed entries", [50, 0, 0, -Infinity, 0, -50, 0.5], 3],
    ["of a long row", Array.from({ length: 300 }, (_, i) => Math.sin(i) * 2), 40],
  ])("%s hold each entry as often as its inclusion probability says", (_, x, k) => {
    const draws = 20_000;
    const draw = subsetSampler(x, k);
    const random = seeded(7);
    const counts = new Float64Array(x.length);
    let ascending = true;
    for (let d = 0; d < draws; d++) {
      const subset = draw(random);
      ascending &&= subset.length === k && subset.every((i, g) => g === 0 || i > subset[g - 1]);
      for (const i of subset) counts[i]++;
    }
    expect(ascending).toBe(true);
    const pi = inclusionProbabilities(x, k).data;
    // Five standard deviations of a binomial count, over at most 300 entries with a fixed seed.
    x.forEach((__, i) => {
      const deviation = Math.sqrt(draws * pi[i] * Math.max(0, 1 - pi[i]));
      expect(Math.abs(counts[i] - draws * pi[i])).toBeLessThanOrEqual(5 * deviation + 1e-6);
    });
  });

  it("repeat with the seed, and the empty subset needs no numbers", () => {
    const draw = subsetSampler([0, 1, 2, 3], 2);
    const series = (seed: number): number[][] => {
      const random = seeded(seed);
      return Array.from({ length: 20 }, () => [...draw(random)]);
    };
    expect(series(3)).toEqual(series(3));
    expect(series(3)).not.toEqual(series(4));
    expect([...subsetSampler([0, 1], 0)(() => NaN)]).toEqual([]);
  });
});
