/**
 * An array of numbers that is read block by block: a file of any size needs memory for two blocks, one of which is being
 * read while the other is worked on.
 */
import { endianness } from "node:os";
import type { FileHandle } from "node:fs/promises";
import { BadInput } from "./bad-input.ts";
import type { ElementType } from "./element-type.ts";

/** Single precision stays as it is in the file; everything else is widened. */
export type Numbers = Float32Array | Float64Array;

export interface ArraySource {
  /** The name that errors give: the path, with the tensor's name where there is one. */
  readonly name: string;
  /** [] for one number, [length], [rows, columns], or more dimensions, of which the last ones make a row. */
  readonly shape: readonly number[];
  readonly kind: "float" | "integer";
  readonly typeName: string;
  /** Of labels that were rows of one value for each class: how many classes. */
  readonly classes?: number;
  /** What was taken for what, where a file leaves that open: to be told to the user. */
  readonly notes?: readonly string[];
  /**
   * The numbers of consecutive rows, row-major, `rows` of them a block (fewer in the last). Callable again
   * once all are through.
   *
   * @param spare  memory for blocks: taken from here while there is any that fits, and put back by the caller when it is
   *               done with a block.
   */
  blocks(rows: number, spare?: ArrayBuffer[]): AsyncIterable<Numbers>;
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

/** Numbers in one row, and rows, of an array of a shape. */
export function rowsAndColumns(shape: readonly number[]): [rows: number, columns: number] {
  return [shape[0] ?? 1, shape.slice(1).reduce((product, d) => product * d, 1)];
}

/** Reads exactly `length` bytes, or says that the file ends early. */
export async function readExactly(
  file: FileHandle,
  name: string,
  buffer: Uint8Array,
  length: number,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < length) {
    // One call reads at most 2 GiB.
    const most = Math.min(length - done, 2 ** 30);
    const { bytesRead } = await file.read(buffer, done, most, position + done);
    if (bytesRead === 0) {
      throw new BadInput(`${name}: ends after ${position + done} bytes, expected at least ${position + length}`);
    }
    done += bytesRead;
  }
}

/** An array stored as one run of elements, in C or in Fortran order. */
export function regionSource(region: Region): ArraySource {
  const { name, file, offset, shape, type, littleEndian, fortranOrder } = region;
  const [rows, columns] = rowsAndColumns(shape);
  const native = littleEndian === (endianness() === "LE") && !(fortranOrder && columns > 1);
  const asIs = native && (type.name === "float32" || type.name === "float64");

  function decode(buffer: Buffer, count: number, out: Float64Array, first: number, stride: number): void {
    const view = new DataView(buffer.buffer, buffer.byteOffset, count * type.bytes);
    const { bytes, read } = type;
    for (let i = 0; i < count; i++) out[first + i * stride] = read(view, i * bytes, littleEndian);
  }

  async function readBlock(from: number, count: number, spare: ArrayBuffer[]): Promise<Numbers> {
    const start = offset + from * columns * type.bytes;
    const size = count * columns;
    if (asIs) {
      const memory = memoryFrom(spare, size * type.bytes);
      await readExactly(file, name, new Uint8Array(memory), size * type.bytes, start);
      return type.bytes === 4 ? new Float32Array(memory, 0, size) : new Float64Array(memory, 0, size);
    }
    const out = new Float64Array(memoryFrom(spare, size * 8), 0, size);
    if (fortranOrder && columns > 1) {
      // A block is gathered from a run of each column.
      const buffer = Buffer.allocUnsafe(count * type.bytes);
      for (let c = 0; c < columns; c++) {
        await readExactly(file, name, buffer, count * type.bytes, offset + (c * rows + from) * type.bytes);
        decode(buffer, count, out, c, columns);
      }
    } else {
      const buffer = Buffer.allocUnsafe(size * type.bytes);
      await readExactly(file, name, buffer, size * type.bytes, start);
      decode(buffer, size, out, 0, 1);
    }
    return out;
  }

  async function* blocks(rowsPerBlock: number, spare: ArrayBuffer[] = []): AsyncGenerator<Numbers> {
    const next = (from: number): Promise<Numbers> | null => {
      if (from >= rows) return null;
      const block = readBlock(from, Math.min(rowsPerBlock, rows - from), spare);
      // An error is reported where the block is awaited; nobody may await the last one.
      block.catch(() => {});
      return block;
    };
    let coming = next(0);
    for (let from = 0; coming !== null; from += rowsPerBlock) {
      const block: Numbers = await coming;
      // Read while this one is worked on.
      coming = next(from + rowsPerBlock);
      yield block;
    }
  }

  return { name, shape, kind: type.kind, typeName: type.name, blocks, close: () => file.close() };
}

/** Spare memory of exactly this size, or new. */
function memoryFrom(spare: ArrayBuffer[], bytes: number): ArrayBuffer {
  while (spare.length > 0) {
    const memory = spare.pop() as ArrayBuffer;
    if (memory.byteLength === bytes) return memory;
  }
  return new ArrayBuffer(bytes);
}
