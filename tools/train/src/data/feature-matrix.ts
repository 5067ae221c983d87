/**
 * Features that another model has computed: a matrix with a row a sample, and their labels. The practical way to train a
 * head on features of a large data set.
 */
import { type ArraySource, BadInput, openArray } from "@smooth-topk/array-files";
import type { Dataset } from "./dataset.ts";

export interface FeatureFiles {
  /** (samples, features), or more dimensions flattened by their writer. */
  readonly features: string;
  /** (samples,), integers. */
  readonly labels: string;
  /** (classes,), integers: the super-class of each class. Without it all classes are of one. */
  readonly superClasses?: string | undefined;
}

const BLOCK_BYTES = 2 ** 22;

/** @throws BadInput naming the file, the row and the value. */
export async function readFeatureMatrix(files: FeatureFiles): Promise<Dataset> {
  const { name, shape, inputs } = await readFeatures(files.features);
  const labels = await readIntegers(files.labels, "labels");
  if (labels.length !== shape[0]) {
    throw new BadInput(
      `${files.labels}: holds ${labels.length} labels, expected one for each of ${shape[0]} rows of ${name}`,
    );
  }
  // Classes are numbered without gaps, so that there are no more of them than samples: before memory is taken for them.
  const beyond = labels.findIndex((label) => label >= labels.length);
  if (beyond >= 0) {
    throw new BadInput(
      `${files.labels}: row ${beyond} is ${labels[beyond]}, expected a class below the ${labels.length} samples`,
    );
  }
  const classes = labels.reduce((most, label) => Math.max(most, label), -1) + 1;
  const given = files.superClasses;
  const superClassOf = given === undefined ? new Int32Array(classes) : await readIntegers(given, "super-classes");
  if (superClassOf.length !== classes) {
    throw new BadInput(
      `${given}: holds ${superClassOf.length} super-classes, expected one for each of the ${classes} classes of ${files.labels}`,
    );
  }
  return {
    name,
    shape: [shape[1]],
    inputs,
    labels,
    classNames: Array.from({ length: classes }, (_, c) => String(c)),
    superClassOf,
    testFrom: null,
  };
}

async function readFeatures(spec: string): Promise<{ name: string; shape: readonly number[]; inputs: Float32Array }> {
  const source = await openArray(spec);
  try {
    const { name, shape, kind, typeName } = source;
    if (kind !== "float" && typeName !== "text") throw new BadInput(`${name}: holds ${typeName}, expected floats`);
    if (shape.length !== 2 || shape[0] === 0 || shape[1] === 0) {
      throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected features of shape (samples, features)`);
    }
    const inputs = new Float32Array(shape[0] * shape[1]);
    let at = 0;
    for await (const block of source.blocks(Math.max(1, Math.floor(BLOCK_BYTES / (8 * shape[1]))))) {
      const bad = block.findIndex((value) => !Number.isFinite(Math.fround(value)));
      if (bad >= 0) {
        const [row, column] = [Math.floor((at + bad) / shape[1]), (at + bad) % shape[1]];
        throw new BadInput(`${name}: row ${row}, column ${column} is ${block[bad]}, expected a finite number`);
      }
      inputs.set(block, at);
      at += block.length;
    }
    return { name, shape, inputs };
  } finally {
    await source.close();
  }
}

async function readIntegers(spec: string, what: string): Promise<Int32Array> {
  const source: ArraySource = await openArray(spec);
  try {
    const { name, shape, kind, typeName } = source;
    if (shape.length !== 1) {
      throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected a list of ${what}`);
    }
    if (kind !== "integer" && typeName !== "text") throw new BadInput(`${name}: holds ${typeName}, expected integers`);
    const out = new Int32Array(shape[0]);
    let at = 0;
    for await (const block of source.blocks(2 ** 16)) {
      for (const value of block) {
        if (!Number.isInteger(value) || value < 0 || value >= 2 ** 31) {
          throw new BadInput(`${name}: row ${at} is ${value}, expected an integer >= 0`);
        }
        out[at++] = value;
      }
    }
    return out;
  } finally {
    await source.close();
  }
}
