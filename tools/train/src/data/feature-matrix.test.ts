import { writeFileSync } from "node:fs";
import { npyFile, safetensorsFile, temporaryFolder } from "@smooth-topk/array-files/testing";
import { describe, expect, it } from "vitest";
import { openDataset } from "./open-dataset.ts";

const folder = temporaryFolder();
const file = (name: string, bytes: Buffer | string): string => {
  writeFileSync(`${folder}/${name}`, bytes);
  return `${folder}/${name}`;
};
const values = Array.from({ length: 24 }, (_, i) => i / 4);
const labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2];
const features = file("x.npy", npyFile(values, [12, 2], { type: "float32" }));
const labelFile = file("y.npy", npyFile(labels, [12], { type: "int64" }));

describe("feature matrices", () => {
  it("are read from .npy, all classes of one super-class", async () => {
    const data = await openDataset({ data: features, labels: labelFile, imageSize: 8 });
    expect(data).toMatchObject({ shape: [2], testFrom: null, classNames: ["0", "1", "2"] });
    expect([...data.inputs]).toEqual(values);
    expect([...data.labels]).toEqual(labels);
    expect([...data.superClassOf]).toEqual([0, 0, 0]);
  });

  it("are read from tensors of one .safetensors file, with super-classes", async () => {
    const all = file(
      "all.safetensors",
      safetensorsFile({
        x: { values, shape: [12, 2], type: "float16" },
        y: { values: labels, shape: [12], type: "uint8" },
        groups: { values: [0, 1, 0], shape: [3], type: "int32" },
      }),
    );
    const data = await openDataset({
      data: `${all}:x`,
      labels: `${all}:y`,
      superClasses: `${all}:groups`,
      imageSize: 8,
    });
    expect([...data.inputs]).toEqual(values);
    expect([...data.superClassOf]).toEqual([0, 1, 0]);
  });

  it.each<[string, () => Partial<Parameters<typeof openDataset>[0]>, RegExp]>([
    ["have no labels", () => ({ labels: undefined }), /x\.npy: a feature matrix needs --labels$/],
    ["are missing", () => ({ data: `${folder}/none.npy` }), /none\.npy: no such file$/],
    ["hold integers", () => ({ data: labelFile }), /y\.npy: holds int64, expected floats$/],
    [
      "are no matrix",
      () => ({ data: file("v.npy", npyFile([1, 2], [2])) }),
      /v\.npy: has shape \(2\), expected features of shape \(samples, features\)$/,
    ],
    [
      "hold NaN",
      () => ({ data: file("nan.npy", npyFile(values.with(5, NaN), [12, 2])) }),
      /nan\.npy: row 2, column 1 is NaN, expected a finite number$/,
    ],
    [
      "overflow single precision",
      () => ({ data: file("big.npy", npyFile(values.with(6, 1e300), [12, 2])) }),
      /big\.npy: row 3, column 0 is 1e\+300/,
    ],
    [
      "have another number of labels",
      () => ({ labels: file("few.npy", npyFile([0, 1], [2], { type: "int32" })) }),
      /few\.npy: holds 2 labels, expected one for each of 12 rows of .*x\.npy$/,
    ],
    [
      "have a label beyond the samples, for which no memory is taken",
      () => ({ labels: file("far.npy", npyFile(labels.with(3, 2147483647), [12], { type: "int32" })) }),
      /far\.npy: row 3 is 2147483647, expected a class below the 12 samples$/,
    ],
    [
      "have a negative label",
      () => ({ labels: file("neg.npy", npyFile(labels.with(3, -1), [12], { type: "int32" })) }),
      /neg\.npy: row 3 is -1, expected an integer >= 0$/,
    ],
    [
      "have labels of floats",
      () => ({ labels: file("float.npy", npyFile(labels, [12])) }),
      /float\.npy: holds float64, expected integers$/,
    ],
    [
      "have super-classes of other classes",
      () => ({ superClasses: file("s.npy", npyFile([0, 1], [2], { type: "int32" })) }),
      /s\.npy: holds 2 super-classes, expected one for each of the 3 classes of .*y\.npy$/,
    ],
    [
      "lack samples of a class",
      () => ({
        labels: file(
          "gap.npy",
          npyFile(
            labels.map((l) => (l === 1 ? 3 : l)),
            [12],
            { type: "int32" },
          ),
        ),
      }),
      /class 1 has 0 samples, expected at least 3/,
    ],
  ])("are refused in one line where they %s", async (_, options, message) => {
    const refused = openDataset({ data: features, labels: labelFile, imageSize: 8, ...options() });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(/^[^\n]*$/);
  });

  it.each([
    ["nothing", /none: no such file; expected synthetic, a folder .*; Omniglot's archives are at https:/],
    ["a file of another kind", /notes\.txt: unknown kind of file, expected synthetic/],
  ])("data that is %s is refused with what is expected and where to get it", async (what, message) => {
    const data = what === "nothing" ? `${folder}/none` : file("notes.txt", "");
    await expect(openDataset({ data, imageSize: 8 })).rejects.toThrow(message);
  });
});
