import { readFileSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "@smooth-topk/array-files/testing";
import { describe, expect, it } from "vitest";
import { greyTree, jpg, type Pixel, png, writeTree, writeZip } from "../../testing/sources.ts";
import { decodeImage, squared } from "./image.ts";
import { openDataset } from "./open-dataset.ts";

const folder = temporaryFolder();
const read = (name: string, imageSize = 4): ReturnType<typeof openDataset> =>
  openDataset({ data: `${folder}/${name}`, imageSize });

describe("images laid out as super-class/class/image", () => {
  it("are one data set, as a folder, as a .zip and as a .zip with a folder around all", async () => {
    const files = greyTree(2, 3, 3);
    writeTree(`${folder}/tree`, files);
    await writeZip(`${folder}/tree.zip`, files);
    const around = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`images/${path}`, bytes]));
    await writeZip(`${folder}/around.zip`, { ...around, "__MACOSX/images/._0.png": Buffer.from("not an image") });
    const [tree, zip, inside] = [await read("tree"), await read("tree.zip"), await read("around.zip")];
    expect(tree.shape).toEqual([1, 4, 4]);
    expect([...tree.labels]).toEqual([0, 1, 2, 3, 4, 5].flatMap((label) => [label, label, label]));
    expect([...tree.superClassOf]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(tree.classNames[4]).toBe("super1/class1");
    expect([...tree.inputs]).toEqual(
      [0, 10, 20, 40, 50, 60].flatMap((grey) => [0, 1, 2].flatMap((i) => new Array<number>(16).fill(grey + i))),
    );
    for (const other of [zip, inside]) {
      expect(other.inputs).toEqual(tree.inputs);
      expect(other.labels).toEqual(tree.labels);
      expect(other.superClassOf).toEqual(tree.superClassOf);
    }
  });

  it("have three channels where one is in colour, .jpg among them", async () => {
    const files = greyTree(1, 2, 3);
    files["super0/class1/9.jpg"] = jpg(8, 8, () => [200, 30, 60]);
    writeTree(`${folder}/colour`, files);
    const data = await read("colour", 2);
    expect(data.shape).toEqual([3, 2, 2]);
    const last = [...data.inputs.subarray(-12)];
    // JPEG at its best quality: each channel within a few steps.
    [200, 30, 60].forEach((value, c) =>
      last.slice(4 * c, 4 * c + 4).forEach((v) => expect(Math.abs(v - value)).toBeLessThan(5)),
    );
  });

  it.each<[string, Record<string, Buffer>, RegExp]>([
    [
      "there is none",
      { "notes.txt": Buffer.from("") },
      /there-is-none: holds no images, expected images laid out as super-class\/class/,
    ],
    [
      "one lies at the top",
      { ...greyTree(1, 2, 3), "a.png": png(2, 2, () => [0, 0, 0]) },
      /one-lies-at-the-top: a\.png lies at the top, expected/,
    ],
    [
      "one is no image",
      { ...greyTree(1, 2, 3), "super0/class0/9.png": Buffer.from("GIF89a") },
      /super0\/class0\/9\.png: neither a PNG nor a JPEG image$/,
    ],
    [
      "one is damaged",
      { ...greyTree(1, 2, 3), "super0/class0/9.png": png(9, 9, () => [1, 2, 3]).subarray(0, 60) },
      /super0\/class0\/9\.png: damaged image: /,
    ],
    [
      "one is a damaged .jpg",
      { ...greyTree(1, 2, 3), "super0/class0/9.jpg": jpg(9, 9, () => [1, 2, 3]).subarray(0, 200) },
      /super0\/class0\/9\.jpg: damaged image: /,
    ],
    [
      "a class has too few",
      greyTree(1, 2, 2),
      /class super0\/class0 has 2 samples, expected at least 3: one each for training, validation, test$/,
    ],
    ["there is one class", greyTree(1, 1, 3), /holds 1 class, expected at least 2$/],
  ])("are refused in one line where %s", async (name, files, message) => {
    writeTree(`${folder}/${name.replaceAll(" ", "-")}`, files);
    const refused = read(name.replaceAll(" ", "-"));
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(/^[^\n]*$/);
  });

  it("in a damaged .zip are refused with the name of the file", async () => {
    await writeZip(`${folder}/whole.zip`, greyTree(1, 2, 3));
    const whole = readFileSync(`${folder}/whole.zip`);
    writeFileSync(`${folder}/cut.zip`, whole.subarray(0, -30));
    await expect(read("cut.zip")).rejects.toThrow(/cut\.zip: damaged \.zip: /);
    writeFileSync(`${folder}/text.zip`, "not an archive");
    await expect(read("text.zip")).rejects.toThrow(/text\.zip: damaged \.zip: /);
    // The data of the first entry begin right after its name: no deflated stream begins with these bytes.
    const spoilt = Buffer.from(whole);
    const at = spoilt.indexOf("super0/class0/0.png") + "super0/class0/0.png".length;
    spoilt.fill(0xff, at, at + 20);
    writeFileSync(`${folder}/spoilt.zip`, spoilt);
    await expect(read("spoilt.zip")).rejects.toThrow(/spoilt\.zip: super0\/class0\/0\.png: damaged/);
  });
});

describe("squared", () => {
  const image = (width: number, height: number, at: (x: number, y: number) => Pixel): ReturnType<typeof decodeImage> =>
    decodeImage("test", png(width, height, at));

  it("takes the mean of the area that each pixel covers", () => {
    // Columns 0, 30, 60 in two pixels: (0 + 30/2) / 1.5 and (30/2 + 60) / 1.5.
    const columns = image(3, 3, (x) => [30 * x, 0, 0]);
    expect([...squared(columns, 2).subarray(0, 4)]).toEqual([10, 50, 10, 50]);
  });

  it("keeps an image of that size to the byte", () => {
    const noise = (x: number, y: number): Pixel => [(37 * x + 11 * y) % 256, (91 * x * y) % 256, (5 + x) % 256];
    const out = squared(image(6, 6, noise), 6);
    for (let y = 0; y < 6; y++) {
      for (let x = 0; x < 6; x++) expect([0, 1, 2].map((c) => out[36 * c + 6 * y + x])).toEqual([...noise(x, y)]);
    }
  });

  it("cuts the longer side evenly, and lays transparency on white", () => {
    const wide = image(6, 2, (x) => (x < 2 || x >= 4 ? [0, 0, 0] : [90, 90, 90, x === 2 ? 0 : 255]));
    expect([...squared(wide, 2).subarray(0, 4)]).toEqual([255, 90, 255, 90]);
  });
});
