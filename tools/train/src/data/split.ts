/**
 * Splits by seed: training, validation and test, each with its share of every class.
 */
import type { Dataset } from "./dataset.ts";
import { stream } from "../training/random-streams.ts";

export interface Split {
  readonly training: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/** A quarter of each class is kept for the test, where the source has no test set of its own. */
const TEST_SHARE = 1 / 4;
/** Of what is left; a tenth, as in the paper, where the source has a test set. */
const VALIDATION_SHARE = { split: 1 / 5, given: 1 / 10 };

/** At least one sample, so that no part lacks a class. */
function share(fraction: number, of: number): number {
  return Math.max(1, Math.round(fraction * of));
}

/**
 * The indices of the three parts, class by class; disjoint, together all samples.
 *
 * A fraction keeps the first part of each class's training samples in an order fixed by the seed: the samples of a small
 * fraction are among those of a larger one, and validation and test are the same for all.
 */
export function splitDataset(dataset: Dataset, seed: number, fraction = 1): Split {
  const { labels, classNames, testFrom } = dataset;
  const byClass: number[][] = classNames.map(() => []);
  for (let i = 0; i < (testFrom ?? labels.length); i++) byClass[labels[i]].push(i);
  const { shuffle } = stream(seed, "split");
  const parts: { training: Int32Array[]; validation: Int32Array[]; test: Int32Array[] } = {
    training: [],
    validation: [],
    test: [],
  };
  for (const indices of byClass) {
    const order = shuffle(Int32Array.from(indices));
    const test = testFrom === null ? share(TEST_SHARE, order.length) : 0;
    const rest = order.length - test;
    const validation = share(testFrom === null ? VALIDATION_SHARE.split : VALIDATION_SHARE.given, rest);
    const training = share(fraction, rest - validation);
    parts.test.push(order.subarray(0, test));
    parts.validation.push(order.subarray(test, test + validation));
    parts.training.push(order.subarray(test + validation, test + validation + training));
  }
  const given = testFrom ?? labels.length;
  return {
    training: joined(parts.training),
    validation: joined(parts.validation),
    test:
      testFrom === null ? joined(parts.test) : Int32Array.from({ length: labels.length - given }, (_, i) => given + i),
  };
}

function joined(parts: readonly Int32Array[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}
