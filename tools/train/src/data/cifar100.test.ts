import { writeFileSync } from "node:fs";
import { temporaryFolder } from "@smooth-topk/array-files/testing";
import { describe, expect, it } from "vitest";
import { type CifarImage, cifarRecords, writeTree } from "../../testing/sources.ts";
import { readCifar100 } from "./cifar100.ts";
import { openDataset } from "./open-dataset.ts";

const folder = temporaryFolder();
const image = (fine: number, coarse = Math.floor(fine / 5), fill = fine): CifarImage => ({ coarse, fine, fill });
const train = [image(99), image(0), image(4), image(99), image(0), image(4)];
const test = [image(4, 0, 200), image(0)];

function written(name: string, files: Readonly<Record<string, Buffer | string>>): string {
  const path = `${folder}/${name}`;
  writeTree(path, Object.fromEntries(Object.entries(files).map(([file, bytes]) => [file, Buffer.from(bytes)])));
  return path;
}
const both = { "train.bin": cifarRecords(train), "test.bin": cifarRecords(test) };

describe("CIFAR-100's binary files", () => {
  it("are read record by record: coarse label, fine label, three planes of 32 x 32", async () => {
    const data = await readCifar100(written("good", both));
    expect(data).toMatchObject({ name: "CIFAR-100", shape: [3, 32, 32], testFrom: 6 });
    // Fine labels 0, 4 and 99 occur: they become classes 0, 1 and 2.
    expect([...data.labels]).toEqual([2, 0, 1, 2, 0, 1, 1, 0]);
    expect([...data.superClassOf]).toEqual([0, 0, 19]);
    expect(data.inputs.length).toBe(8 * 3072);
    expect([data.inputs[0], data.inputs[1], data.inputs[3071]]).toEqual([156, 99, 99]);
    expect([data.inputs[6 * 3072], data.inputs[6 * 3072 + 1]]).toEqual([55, 200]);
  });

  it("name their classes, where the names are there", async () => {
    const names = Array.from({ length: 100 }, (_, i) => `class ${i}`).join("\n");
    expect((await readCifar100(written("names", { ...both, "fine_label_names.txt": names }))).classNames).toEqual([
      "class 0",
      "class 4",
      "class 99",
    ]);
    expect((await readCifar100(written("nameless", both))).classNames).toEqual(["0", "4", "99"]);
  });

  it.each<[string, Record<string, Buffer | string>, RegExp]>([
    [
      "one file is missing",
      { "train.bin": both["train.bin"] },
      /test\.bin: no such file; get cifar-100-binary\.tar\.gz from https:/,
    ],
    [
      "a file is cut short",
      { ...both, "train.bin": both["train.bin"].subarray(0, -1) },
      /train\.bin: 18443 bytes, expected a multiple of 3074/,
    ],
    ["a file is empty", { ...both, "test.bin": "" }, /test\.bin: 0 bytes/],
    [
      "a coarse label is out of range",
      { ...both, "test.bin": cifarRecords([image(4), image(1, 20)]) },
      /test\.bin: image 1 \(byte 3074\) has coarse label 20, expected at most 19$/,
    ],
    [
      "a fine label is out of range",
      { ...both, "train.bin": cifarRecords([image(100, 1)]) },
      /train\.bin: image 0 \(byte 0\) has fine label 100, expected at most 99$/,
    ],
    [
      "a class has two super-classes",
      { ...both, "test.bin": cifarRecords([image(4, 3)]) },
      /has coarse label 3 for fine label 4, which had 0 before$/,
    ],
  ])("are refused in one line where %s", async (name, files, message) => {
    const refused = openDataset({ data: written(name.replaceAll(" ", "-"), files), imageSize: 8 });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(/^[^\n]*$/);
  });

  it("with a class that cannot be split are refused", async () => {
    writeFileSync(`${written("single", both)}/train.bin`, cifarRecords([...train, image(7)]));
    await expect(openDataset({ data: `${folder}/single`, imageSize: 8 })).rejects.toThrow(
      /class 7 has 1 samples, expected at least 2: one each for training, validation$/,
    );
  });
});
