/**
 * An array of numbers that is read block by block: a file of any size needs memory for one block.
 */
import type { FileHandle } from "node:fs/promises";
import { BadInput } from "./bad-input.ts";
import type { ElementType } from "./element-type.ts";

export interface ArraySource {
  /** The name that errors give: the path, with the tensor's name where there is one. */
  readonly name: string;
  /** [rows] or [rows, columns]. */
  readonly shape: readonly number[];
  readonly kind: "float" | "integer";
  readonly typeName: string;
  /** The numbers of consecutive rows, row-major, `rows` of them a block (fewer in the last). Callable once. */
  blocks(rows: number): AsyncIterable<Float64Array>;
  close(): Promise<void>;
}

/** Where the elements of an array lie in an open file. */
export interface Region {
  readonly name: string;
  readonly file: FileHandle;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  readonly type: ElementType;
  readonly littleEndian: boolean;
}

/** Reads exactly `length` bytes, or says that the file ends early. */
export async function readExactly(
  file: FileHandle,
  name: string,
  buffer: Buffer,
  length: number,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) {
      throw new BadInput(`${name}: ends after ${position + done} bytes, expected at least ${position + length}`);
    }
    done += bytesRead;
  }
}

/** An array stored as one run of elements, in C or in Fortran order. */
export function regionSource(region: Region): ArraySource {
  const { name, file, offset, shape, type, littleEndian, fortranOrder } = region;
  const rows = shape[0];
  const columns = shape.length === 2 ? shape[1] : 1;

  function decode(buffer: Buffer, count: number, out: Float64Array, first: number, stride: number): void {
    const view = new DataView(buffer.buffer, buffer.byteOffset, count * type.bytes);
    const { bytes, read } = type;
    for (let i = 0; i < count; i++) out[first + i * stride] = read(view, i * bytes, littleEndian);
  }

  async function* blocks(rowsPerBlock: number): AsyncGenerator<Float64Array> {
    const largest = Math.min(rows, rowsPerBlock);
    // In Fortran order a block is gathered from a run of each column.
    const run = fortranOrder && columns > 1 ? largest : largest * columns;
    const buffer = Buffer.allocUnsafe(run * type.bytes);
    for (let from = 0; from < rows; from += largest) {
      const count = Math.min(largest, rows - from);
      const out = new Float64Array(count * columns);
      if (run === largest && columns > 1) {
        for (let c = 0; c < columns; c++) {
          await readExactly(file, name, buffer, count * type.bytes, offset + (c * rows + from) * type.bytes);
          decode(buffer, count, out, c, columns);
        }
      } else {
        const start = offset + from * columns * type.bytes;
        await readExactly(file, name, buffer, count * columns * type.bytes, start);
        decode(buffer, count * columns, out, 0, 1);
      }
      yield out;
    }
  }

  return { name, shape, kind: type.kind, typeName: type.name, blocks, close: () => file.close() };
}
