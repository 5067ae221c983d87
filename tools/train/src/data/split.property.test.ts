import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dataset } from "./dataset.ts";
import { splitDataset } from "./split.ts";

/** Labels with at least three samples a class; inputs play no part in a split. */
const dataset = fc
  .array(fc.integer({ min: 3, max: 25 }), { minLength: 2, maxLength: 6 })
  .chain((sizes) => {
    const labels = sizes.flatMap((size, c) => new Array<number>(size).fill(c));
    return fc.record({
      labels: fc.shuffledSubarray(labels, { minLength: labels.length }).map((some) => Int32Array.from(some)),
      given: fc.boolean(),
      classes: fc.constant(sizes.length),
    });
  })
  .map(({ labels, given, classes }): Dataset => {
    // The source's own test set: one more sample of each class at the end.
    const test = Int32Array.from({ length: given ? classes : 0 }, (_, c) => c);
    return {
      name: "test",
      shape: [1],
      inputs: new Uint8Array(labels.length + test.length),
      labels: Int32Array.from([...labels, ...test]),
      classNames: Array.from({ length: classes }, (_, c) => String(c)),
      superClassOf: new Int32Array(classes),
      testFrom: given ? labels.length : null,
    };
  });
const seed = fc.integer({ min: 0, max: 1e6 });
const fraction = fc.double({ min: 0.01, max: 1, noNaN: true });

describe("splitDataset", () => {
  it("gives every sample to one part, and every part a sample of each class", () => {
    fc.assert(
      fc.property(dataset, seed, (data, s) => {
        const { training, validation, test } = splitDataset(data, s);
        const all = [...training, ...validation, ...test].toSorted((a, b) => a - b);
        expect(all).toEqual([...data.labels.keys()]);
        for (const part of [training, validation, test]) {
          expect(new Set(part.map((i) => data.labels[i])).size).toBe(data.classNames.length);
        }
      }),
    );
  });

  it("keeps the source's own test set for the test", () => {
    fc.assert(
      fc.property(dataset, seed, (data, s) => {
        fc.pre(data.testFrom !== null);
        expect(Math.min(...splitDataset(data, s).test)).toBe(data.testFrom);
      }),
    );
  });

  it("nests fractions, class by class, and leaves validation and test as they are", () => {
    fc.assert(
      fc.property(dataset, seed, fraction, fraction, (data, s, p, q) => {
        const whole = splitDataset(data, s);
        const [small, large] = [splitDataset(data, s, Math.min(p, q)), splitDataset(data, s, Math.max(p, q))];
        expect(small.validation).toEqual(whole.validation);
        expect(small.test).toEqual(whole.test);
        const inLarge = new Set(large.training);
        expect(small.training.every((i) => inLarge.has(i))).toBe(true);
        for (let c = 0; c < data.classNames.length; c++) {
          const count = (part: Int32Array): number => part.filter((i) => data.labels[i] === c).length;
          const expected = Math.min(p, q) * count(whole.training);
          expect(Math.abs(count(small.training) - expected)).toBeLessThanOrEqual(Math.max(0.5, 1 - expected));
        }
      }),
    );
  });

  it("is the same for a seed, and another for another seed", () => {
    const labels = Int32Array.from({ length: 200 }, (_, i) => i % 2);
    const data: Dataset = {
      name: "test",
      shape: [1],
      inputs: new Uint8Array(200),
      labels,
      classNames: ["a", "b"],
      superClassOf: new Int32Array(2),
      testFrom: null,
    };
    expect(splitDataset(data, 1)).toEqual(splitDataset(data, 1));
    expect(splitDataset(data, 1).test).not.toEqual(splitDataset(data, 2).test);
  });
});
