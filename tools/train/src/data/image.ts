/**
 * Images: decoding of PNG and JPEG, and shrinking to a square.
 */
import { BadInput } from "@smooth-topk/array-files";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";

/** Bytes in rows of pixels, each red, green, blue, alpha. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const PNG_MAGIC = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
/** Above it a decoder's memory is an attack or an accident. */
const LARGEST_JPEG = { maxResolutionInMP: 25, maxMemoryUsageInMB: 256 };
/** Pixels of the largest PNG: 4 bytes each, and as many while it is unpacked. */
const MOST_PIXELS = 25_000_000;

/** A PNG says its size in its first 24 bytes: it is looked at before anything is unpacked. */
function checkPngSize(bytes: Buffer): void {
  if (bytes.length < 24) throw new Error("ends in its header");
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > MOST_PIXELS) {
    throw new Error(`claims ${width} x ${height} pixels, expected at most ${MOST_PIXELS}`);
  }
}

/** @throws BadInput naming the file, if it is neither PNG nor JPEG or is damaged. */
export function decodeImage(name: string, bytes: Buffer): Image {
  try {
    if (bytes.subarray(0, 8).equals(PNG_MAGIC)) {
      checkPngSize(bytes);
      return PNG.sync.read(bytes);
    }
    if (bytes[0] === 0xff && bytes[1] === 0xd8) {
      return jpeg.decode(bytes, { useTArray: true, formatAsRGBA: true, ...LARGEST_JPEG });
    }
  } catch (error) {
    throw new BadInput(`${name}: damaged image: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new BadInput(`${name}: neither a PNG nor a JPEG image`);
}

/** Whether every pixel is grey. */
export function isGrey({ data }: Image): boolean {
  for (let i = 0; i < data.length; i += 4) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

/**
 * The central square of an image as [3, size, size] bytes: each pixel is the mean of the area that it covers, on white
 * where the image is transparent.
 */
export function squared({ width, height, data }: Image, size: number): Uint8Array {
  const side = Math.min(width, height);
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  const columns = coverage(left, side, size);
  const rows = coverage(top, side, size);
  const out = new Uint8Array(3 * size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const sum = [0, 0, 0];
      let area = 0;
      for (const [row, tall] of rows[y]) {
        for (const [column, wide] of columns[x]) {
          const at = 4 * (row * width + column);
          const alpha = data[at + 3] / 255;
          const weight = tall * wide;
          for (let c = 0; c < 3; c++) sum[c] += weight * (alpha * data[at + c] + (1 - alpha) * 255);
          area += weight;
        }
      }
      for (let c = 0; c < 3; c++) out[(c * size + y) * size + x] = Math.round(sum[c] / area);
    }
  }
  return out;
}

/** For each of `size` equal parts of [from, from + length): the pixels that it overlaps, and by how much. */
function coverage(from: number, length: number, size: number): [number, number][][] {
  return Array.from({ length: size }, (_, i) => {
    const start = from + (i * length) / size;
    const end = from + ((i + 1) * length) / size;
    const pixels: [number, number][] = [];
    for (let p = Math.floor(start); p < end; p++) {
      const overlap = Math.min(end, p + 1) - Math.max(start, p);
      if (overlap > 1e-9) pixels.push([p, overlap]);
    }
    return pixels;
  });
}
