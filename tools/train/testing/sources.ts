/**
 * Small data in the real formats, made for tests.
 */
import { once } from "node:events";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { ZipFile } from "yazl";

export type Pixel = readonly [red: number, green: number, blue: number, alpha?: number];

function pixels(width: number, height: number, at: (x: number, y: number) => Pixel): Buffer {
  const data = Buffer.alloc(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue, alpha = 255] = at(x, y);
      data.set([red, green, blue, alpha], 4 * (y * width + x));
    }
  }
  return data;
}

export function png(width: number, height: number, at: (x: number, y: number) => Pixel): Buffer {
  const image = new PNG({ width, height });
  image.data = pixels(width, height, at);
  return PNG.sync.write(image);
}

export function jpg(width: number, height: number, at: (x: number, y: number) => Pixel): Buffer {
  return jpeg.encode({ width, height, data: pixels(width, height, at) }, 100).data;
}

export function writeTree(folder: string, files: Readonly<Record<string, Buffer>>): void {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

/** A .zip with an entry for each folder too, as archivers write it. */
export async function writeZip(path: string, files: Readonly<Record<string, Buffer>>): Promise<void> {
  const zip = new ZipFile();
  for (const folder of new Set(Object.keys(files).map((file) => dirname(file)))) zip.addEmptyDirectory(folder);
  for (const [file, bytes] of Object.entries(files)) zip.addBuffer(bytes, file);
  zip.end();
  await once(zip.outputStream.pipe(createWriteStream(path)), "close");
}

export interface CifarImage {
  readonly coarse: number;
  readonly fine: number;
  readonly fill: number;
}

/** Records of CIFAR-100: coarse label, fine label, 3072 bytes, here all the same but the first, which is 255 - fill. */
export function cifarRecords(images: readonly CifarImage[]): Buffer {
  return Buffer.concat(
    images.map(({ coarse, fine, fill }) =>
      Buffer.from([coarse, fine, 255 - fill, ...new Array<number>(3071).fill(fill)]),
    ),
  );
}

/** A folder of grey images: `perClass` in each class, brighter from class to class. */
export function greyTree(superClasses: number, classes: number, perClass: number): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  for (let s = 0; s < superClasses; s++) {
    for (let c = 0; c < classes; c++) {
      for (let i = 0; i < perClass; i++) {
        const grey = 40 * s + 10 * c + i;
        files[`super${s}/class${c}/${i}.png`] = png(10, 8, () => [grey, grey, grey]);
      }
    }
  }
  return files;
}
