import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withLabelNoise } from "./label-noise.ts";

/** Super-classes of different sizes, and labels of them. */
const labelled = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }).chain((sizes) => {
  const superClassOf = Int32Array.from(sizes.flatMap((size, s) => new Array<number>(size).fill(s)));
  return fc.record({
    superClassOf: fc.constant(superClassOf),
    labels: fc
      .array(fc.integer({ min: 0, max: superClassOf.length - 1 }), { minLength: 1, maxLength: 60 })
      .map((labels) => Int32Array.from(labels)),
  });
});
const probability = fc.double({ min: 0, max: 1, noNaN: true });
const seed = fc.integer({ min: 0, max: 1e6 });

describe("label noise", () => {
  it("stays within the super-class and leaves the labels passed in as they were", () => {
    fc.assert(
      fc.property(labelled, probability, seed, ({ labels, superClassOf }, p, s) => {
        const before = [...labels];
        const noisy = withLabelNoise(labels, superClassOf, p, s);
        expect([...labels]).toEqual(before);
        noisy.forEach((label, i) => expect(superClassOf[label]).toBe(superClassOf[labels[i]]));
      }),
    );
  });

  it("changes nothing at probability 0", () => {
    fc.assert(
      fc.property(labelled, seed, ({ labels, superClassOf }, s) => {
        expect(withLabelNoise(labels, superClassOf, 0, s)).toEqual(labels);
      }),
    );
  });

  it("at a higher probability, gives every label changed at a lower one the same value", () => {
    fc.assert(
      fc.property(labelled, probability, probability, seed, ({ labels, superClassOf }, p, q, s) => {
        const low = withLabelNoise(labels, superClassOf, Math.min(p, q), s);
        const high = withLabelNoise(labels, superClassOf, Math.max(p, q), s);
        low.forEach((label, i) => {
          if (label !== labels[i]) expect(high[i]).toBe(label);
        });
      }),
    );
  });

  // Hoeffding: a mean of N independent indicators is off by more than t with probability at most 2 exp(-2 N t^2). With
  // N = 40,000 and t = 0.02 that is 3e-14 for each of the 5 x 6 means below, and the seed is fixed: a failure is a bug.
  it.each([0, 0.2, 0.5, 0.8, 1])("at p = %f a label becomes each sibling with probability p / m", (p) => {
    const members = 5;
    const count = 40_000;
    const superClassOf = Int32Array.from({ length: 20 }, (_, c) => Math.floor(c / members));
    const noisy = withLabelNoise(new Int32Array(count).fill(7), superClassOf, p, 11);
    for (let c = 5; c < 10; c++) {
      const frequency = noisy.filter((label) => label === c).length / count;
      expect(Math.abs(frequency - (p / members + (c === 7 ? 1 - p : 0)))).toBeLessThan(0.02);
    }
    expect(noisy.every((label) => label >= 5 && label < 10)).toBe(true);
  });
});
