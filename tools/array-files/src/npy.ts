/**
 * NumPy's .npy: magic, version, a Python dictionary of three keys, then the elements.
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. Both byte orders, C and Fortran order.
 */
import type { FileHandle } from "node:fs/promises";
import { type ArraySource, readExactly, regionSource } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { elementType } from "./element-type.ts";

const MAGIC = Buffer.from("\x93NUMPY", "latin1");
/** NumPy refuses headers above 10,000 bytes unless told otherwise; a longer one is not a plain array's. */
const LONGEST_HEADER = 65_535;

const kinds: Record<string, string> = { f: "float", i: "int", u: "uint" };
const unreadable: Record<string, string> = {
  O: "Python objects (pickled)",
  S: "byte strings",
  U: "strings",
  V: "raw or structured records",
  c: "complex numbers",
  b: "booleans",
  M: "dates",
  m: "time spans",
};

/** Opens the array of an .npy file; checks its header against the size of the file. */
export async function openNpy(name: string, file: FileHandle, size: number): Promise<ArraySource> {
  const start = Buffer.alloc(12);
  await readExactly(file, name, start, 8, 0);
  if (!start.subarray(0, 6).equals(MAGIC)) {
    throw new BadInput(
      `${name}: not an .npy file: it begins with ${printable(start.subarray(0, 6))}, expected \\x93NUMPY`,
    );
  }
  const version = start[6];
  if (version < 1 || version > 3) {
    throw new BadInput(`${name}: .npy format version ${version}.${start[7]}, expected 1, 2 or 3`);
  }
  const lengthBytes = version === 1 ? 2 : 4;
  await readExactly(file, name, start, 8 + lengthBytes, 0);
  const headerLength = version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (headerLength > LONGEST_HEADER) {
    throw new BadInput(`${name}: the .npy header claims ${headerLength} bytes, expected at most ${LONGEST_HEADER}`);
  }
  const header = Buffer.alloc(headerLength);
  await readExactly(file, name, header, headerLength, 8 + lengthBytes);
  const { descr, fortranOrder, shape } = parseHeader(name, header.toString(version === 3 ? "utf8" : "latin1"));
  const { typeName, littleEndian } = parseType(name, descr);
  const type = elementType(typeName);
  if (type === undefined) throw new BadInput(`${name}: dtype ${descr} is not read, expected floats or integers`);
  const offset = 8 + lengthBytes + headerLength;
  const expected = offset + shape.reduce((product, d) => product * d, 1) * type.bytes;
  if (size !== expected) {
    const what = size < expected ? "is cut short" : "has trailing data";
    throw new BadInput(
      `${name}: ${what}: ${size} bytes, expected ${expected} for shape (${shape.join(", ")}) of ${type.name}`,
    );
  }
  return regionSource({ name, file, offset, shape, fortranOrder, type, littleEndian });
}

function printable(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1"));
}

/** The dictionary literal that NumPy writes; nothing of Python is evaluated. */
function parseHeader(name: string, text: string): { descr: string; fortranOrder: boolean; shape: number[] } {
  const damaged = (what: string): BadInput => new BadInput(`${name}: damaged .npy header: ${what}`);
  const descr = /'descr':\s*(?:'([^']*)'|(\[))/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const shape = /'shape':\s*\(([\d\s,L]*)\)/.exec(text);
  if (descr === null) throw damaged("no 'descr'");
  if (descr[2] !== undefined)
    throw new BadInput(`${name}: a structured dtype is not read, expected floats or integers`);
  if (order === null) throw damaged("no 'fortran_order'");
  if (shape === null) throw damaged("no 'shape'");
  const dimensions = shape[1].split(",").flatMap((d) => (d.trim() === "" ? [] : [Number.parseInt(d, 10)]));
  if (!dimensions.every((d) => Number.isSafeInteger(d) && d >= 0)) throw damaged(`shape (${shape[1]})`);
  return { descr: descr[1], fortranOrder: order[1] === "True", shape: dimensions };
}

function parseType(name: string, descr: string): { typeName: string; littleEndian: boolean } {
  const match = /^([<>|=]?)([a-zA-Z])(\d*)/.exec(descr);
  const kind = match?.[2] ?? "";
  if (match === null || kinds[kind] === undefined) {
    const what = unreadable[kind] ?? "unknown elements";
    throw new BadInput(`${name}: dtype ${JSON.stringify(descr)} holds ${what}, expected floats or integers`);
  }
  return { typeName: `${kinds[kind]}${Number(match[3]) * 8}`, littleEndian: match[1] !== ">" };
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
