/**
 * CIFAR-100 in its binary form: train.bin and test.bin, records of a coarse label, a fine label and 3 x 32 x 32 bytes.
 *
 * https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BadInput, systemReason } from "@smooth-topk/array-files";
import type { Dataset } from "./dataset.ts";

const SOURCE = "get cifar-100-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html and unpack it";
const SHAPE = [3, 32, 32];
const PIXELS = 3 * 32 * 32;
const RECORD = 2 + PIXELS;
const FINE = 100;
const COARSE = 20;

interface Records {
  readonly path: string;
  readonly bytes: Buffer;
  readonly count: number;
}

async function readRecords(path: string): Promise<Records> {
  let bytes;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new BadInput(`${path}: ${systemReason(error)}; ${SOURCE}`);
  }
  if (bytes.length === 0 || bytes.length % RECORD !== 0) {
    throw new BadInput(
      `${path}: ${bytes.length} bytes, expected a multiple of ${RECORD}, the record of a CIFAR-100 image; ${SOURCE}`,
    );
  }
  return { path, bytes, count: bytes.length / RECORD };
}

async function readNames(path: string, count: number): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const names = text.split("\n").map((line) => line.trim());
  return Array.from({ length: count }, (_, i) => names[i] || String(i));
}

/**
 * The data set of a folder with train.bin and test.bin; the test set is the source's own. Classes that do not occur, in
 * a part of the data, are left out.
 *
 * @throws BadInput saying what is missing or damaged, where, and where to get it.
 */
export async function readCifar100(folder: string): Promise<Dataset> {
  const files = [await readRecords(join(folder, "train.bin")), await readRecords(join(folder, "test.bin"))];
  const count = files[0].count + files[1].count;
  const inputs = new Uint8Array(count * PIXELS);
  const fine = new Int32Array(count);
  const coarseOf = new Int32Array(FINE).fill(-1);
  let sample = 0;
  for (const { path, bytes, count: records } of files) {
    for (let r = 0; r < records; r++, sample++) {
      const at = r * RECORD;
      const [coarse, label] = bytes.subarray(at, at + 2);
      const where = `${path}: image ${r} (byte ${at})`;
      if (coarse >= COARSE) throw new BadInput(`${where} has coarse label ${coarse}, expected at most ${COARSE - 1}`);
      if (label >= FINE) throw new BadInput(`${where} has fine label ${label}, expected at most ${FINE - 1}`);
      if (coarseOf[label] === -1) coarseOf[label] = coarse;
      if (coarseOf[label] !== coarse) {
        throw new BadInput(
          `${where} has coarse label ${coarse} for fine label ${label}, which had ${coarseOf[label]} before`,
        );
      }
      fine[sample] = label;
      inputs.set(bytes.subarray(at + 2, at + RECORD), sample * PIXELS);
    }
  }
  const present = [...coarseOf.keys()].filter((label) => coarseOf[label] >= 0);
  const names = await readNames(join(folder, "fine_label_names.txt"), FINE);
  const renumbered = new Int32Array(FINE);
  present.forEach((label, i) => (renumbered[label] = i));
  return {
    name: "CIFAR-100",
    shape: SHAPE,
    inputs,
    labels: fine.map((label) => renumbered[label]),
    classNames: present.map((label) => names[label]),
    superClassOf: Int32Array.from(present, (label) => coarseOf[label]),
    testFrom: files[0].count,
  };
}
