/**
 * Samples with a class and a super-class each: what every data source becomes.
 */
import { createHash } from "node:crypto";
import { BadInput } from "@smooth-topk/array-files";

export interface Dataset {
  /** As results name it. */
  readonly name: string;
  /** Shape of a sample: [features] or [channels, height, width]. */
  readonly shape: readonly number[];
  /** The samples one after the other, each in C order. Bytes stay bytes: a batch is made of them when it is needed. */
  readonly inputs: Uint8Array | Float32Array;
  /** Class of each sample. */
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  /** Super-class of each class; noise stays within it. */
  readonly superClassOf: Int32Array;
  /** The source's own test set begins at this sample; null where a test set is split off by seed. */
  readonly testFrom: number | null;
}

/** Numbers in one sample. */
export function sampleSize({ shape }: Pick<Dataset, "shape">): number {
  return shape.reduce((product, d) => product * d, 1);
}

/** The classes of each super-class, by super-class. */
export function membersOfSuperClasses(superClassOf: Int32Array): number[][] {
  const members = new Map<number, number[]>();
  superClassOf.forEach((superClass, label) => {
    const list = members.get(superClass);
    if (list === undefined) members.set(superClass, [label]);
    else list.push(label);
  });
  return [...members.entries()].toSorted(([a], [b]) => a - b).map(([, list]) => list);
}

/** SHA-256 of all that training sees: whether two experiments had the same data. */
export function fingerprint({ shape, inputs, labels, superClassOf, testFrom }: Dataset): string {
  const hash = createHash("sha256").update(JSON.stringify([shape, testFrom]));
  for (const { buffer, byteOffset, byteLength } of [inputs, labels, superClassOf]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}

/**
 * Refuses a data set that cannot be split three ways: every class needs a sample for each part.
 *
 * @throws BadInput naming the class and its samples.
 */
export function checkDataset(dataset: Dataset): Dataset {
  const { name, labels, classNames, testFrom } = dataset;
  if (classNames.length < 2) throw new BadInput(`${name}: holds ${classNames.length} class, expected at least 2`);
  const end = testFrom ?? labels.length;
  const counts = new Int32Array(classNames.length);
  for (let i = 0; i < end; i++) counts[labels[i]]++;
  const parts = testFrom === null ? ["training", "validation", "test"] : ["training", "validation"];
  const short = counts.findIndex((count) => count < parts.length);
  if (short >= 0) {
    throw new BadInput(
      `${name}: class ${classNames[short]} has ${counts[short]} samples, expected at least ${parts.length}: one each for ${parts.join(", ")}`,
    );
  }
  return dataset;
}
