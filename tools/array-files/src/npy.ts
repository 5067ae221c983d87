/**
 * NumPy's .npy: magic, version, a Python dictionary of three keys, then the elements.
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Both byte orders, C and Fortran order.
 */
import type { FileHandle } from "node:fs/promises";
import { type ArraySource, readExactly, regionSource } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { type ElementType, elementType } from "./element-type.ts";
import { NotLiteral, parsePythonLiteral, type PythonLiteral, type Tuple } from "./python-literal.ts";

const MAGIC = Buffer.from("\x93NUMPY", "latin1");
/** NumPy refuses headers above 10,000 bytes unless told otherwise; a longer one is not a plain array's. */
const LONGEST_HEADER = 65_535;

const kinds: Readonly<Record<string, string>> = { f: "float", i: "int", u: "uint" };
/** Names of types as NumPy takes them, beside the letter and the number of bytes. A C long has 8 bytes on Linux. */
const aliases = new Map<string, string>(
  (
    [
      ["float16", "e half"],
      ["float32", "f single"],
      ["float64", "d double float"],
      ["int8", "b byte"],
      ["uint8", "B ubyte"],
      ["int16", "h short"],
      ["uint16", "H ushort"],
      ["int32", "i intc"],
      ["uint32", "I uintc"],
      ["int64", "l int q longlong"],
      ["uint64", "L uint Q ulonglong"],
    ] as const
  ).flatMap(([type, names]) => names.split(" ").map((name) => [name, type] as const)),
);
const unreadable: Readonly<Record<string, string>> = {
  O: "Python objects (pickled)",
  S: "byte strings",
  U: "strings",
  V: "raw or structured records",
  c: "complex numbers",
  b: "booleans",
  "?": "booleans",
  M: "dates",
  m: "time spans",
};

/** Where the elements of an .npy file are. */
interface NpyHeader {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  readonly type: ElementType;
  readonly littleEndian: boolean;
  /** Bytes of the whole file. */
  readonly expected: number;
}

/** Opens the array of an .npy file of `size` bytes that begins at `from` in an open file. */
export async function openNpy(name: string, file: FileHandle, size: number, from = 0): Promise<ArraySource> {
  const start = Buffer.alloc(12);
  await readExactly(file, name, start, 8, from);
  checkMagic(name, start);
  const lengthBytes = start[6] === 1 ? 2 : 4;
  await readExactly(file, name, start, 8 + lengthBytes, from);
  const headerLength = start[6] === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (headerLength > LONGEST_HEADER) {
    throw new BadInput(`${name}: the .npy header claims ${headerLength} bytes, expected at most ${LONGEST_HEADER}`);
  }
  const text = Buffer.alloc(headerLength);
  await readExactly(file, name, text, headerLength, from + 8 + lengthBytes);
  const header = readHeader(name, text.toString(start[6] === 3 ? "utf8" : "latin1"), 8 + lengthBytes + headerLength);
  const { shape, type, expected } = header;
  if (size !== expected) {
    const what = size < expected ? "is cut short" : "has trailing data";
    throw new BadInput(
      `${name}: ${what}: ${size} bytes, expected ${expected} for shape (${shape.join(", ")}) of ${type.name}`,
    );
  }
  return regionSource({ ...header, name, file, offset: from + header.offset });
}

function checkMagic(name: string, start: Buffer): void {
  if (!start.subarray(0, 6).equals(MAGIC)) {
    throw new BadInput(
      `${name}: not an .npy file: it begins with ${JSON.stringify(start.toString("latin1", 0, 6))}, expected \\x93NUMPY`,
    );
  }
  if (start[6] < 1 || start[6] > 3) {
    throw new BadInput(`${name}: .npy format version ${start[6]}.${start[7]}, expected 1, 2 or 3`);
  }
}

/** What a header's dictionary says; whoever wrote it, with any literals that NumPy reads. */
function readHeader(name: string, text: string, offset: number): NpyHeader {
  const damaged = (what: string): BadInput => new BadInput(`${name}: damaged .npy header: ${what}`);
  let parsed: PythonLiteral;
  try {
    parsed = parsePythonLiteral(text);
  } catch (error) {
    if (error instanceof NotLiteral) throw damaged(error.message);
    throw error;
  }
  if (!(parsed instanceof Map)) throw damaged("not a dictionary");
  const dictionary = parsed as ReadonlyMap<PythonLiteral, PythonLiteral>;
  for (const key of ["descr", "fortran_order", "shape"]) if (!dictionary.has(key)) throw damaged(`no '${key}'`);
  if (dictionary.size > 3) throw damaged(`${dictionary.size} keys, expected descr, fortran_order and shape`);
  const [descr, order, tuple] = ["descr", "fortran_order", "shape"].map((key) => dictionary.get(key) as PythonLiteral);
  if (typeof order !== "boolean") throw damaged(`'fortran_order' is ${JSON.stringify(order)}, expected True or False`);
  const shape = (tuple as Tuple | null)?.tuple;
  if (!Array.isArray(shape)) throw damaged("'shape' is no tuple");
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) throw damaged(`shape (${shape.join(", ")})`);
  const { type, littleEndian } = readType(name, descr);
  const expected = offset + (shape as number[]).reduce((product, d) => product * d, 1) * type.bytes;
  return { offset, shape: shape as number[], fortranOrder: order, type, littleEndian, expected };
}

function readType(name: string, descr: PythonLiteral): { type: ElementType; littleEndian: boolean } {
  if (typeof descr !== "string") {
    throw new BadInput(`${name}: a structured dtype is not read, expected floats or integers`);
  }
  const match = /^([<>|=]?)([a-zA-Z?]+)(\d*)$/.exec(descr.trim());
  const [, order = "", letters = "", digits = ""] = match ?? [];
  // 'f8' is a letter and bytes, 'float64' a name, 'd' another.
  const sized = `${kinds[letters] ?? letters}${digits === "" ? "" : kinds[letters] === undefined ? digits : Number(digits) * 8}`;
  const type = elementType(digits === "" ? (aliases.get(letters) ?? "") : sized);
  if (type === undefined) {
    const what = kinds[letters] === undefined ? unreadable[letters] : undefined;
    throw new BadInput(
      what === undefined
        ? `${name}: dtype ${JSON.stringify(descr)} is not read, expected floats or integers`
        : `${name}: dtype ${JSON.stringify(descr)} holds ${what}, expected floats or integers`,
    );
  }
  return { type, littleEndian: order !== ">" };
}

/** The header of a float64 array in C order. */
export function npyHeader(shape: readonly number[]): Buffer {
  const dictionary = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  // The data begin at a multiple of 64 bytes, and the header ends in a newline.
  const padding = (64 - ((10 + dictionary.length + 1) % 64)) % 64;
  const header = Buffer.from(`${dictionary}${" ".repeat(padding)}\n`, "latin1");
  const start = Buffer.concat([MAGIC, Buffer.from([1, 0, 0, 0])]);
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, header]);
}
