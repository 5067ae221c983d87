/**
 * .safetensors: the length of a JSON header, the header, then the elements of all tensors, little-endian, C order.
 *
 * https://huggingface.co/docs/safetensors. A tensor is chosen by `file.safetensors:name`. Refused as by the format's own
 * reader: keys that occur twice, tensors that overlap or leave holes, bytes behind the last, numbers such as 6.0 in a shape.
 */
import type { FileHandle } from "node:fs/promises";
import { type ArraySource, readExactly, regionSource } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { elementType } from "./element-type.ts";
import { jsonDepth, type JsonMember, jsonMembers } from "./json-members.ts";

/** The format allows 100 MB, of which a parser makes a gigabyte; 16 MiB name 100,000 tensors. */
const LONGEST_HEADER = 2 ** 24;
/** An object of objects of lists. */
const DEEPEST = 3;

const typeNames: Record<string, string> = {
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  I8: "int8",
  U8: "uint8",
  I16: "int16",
  U16: "uint16",
  I32: "int32",
  U32: "uint32",
  I64: "int64",
  U64: "uint64",
};

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offsets: readonly [from: number, to: number];
}

/** Bits of every type of the format: they say where the next tensor begins, whether this reader reads it or not. */
const bits = new Map<string, number>(
  (
    [
      [4, "F4"],
      [6, "F6_E2M3 F6_E3M2"],
      [8, "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ"],
      [16, "I16 U16 F16 BF16"],
      [32, "I32 U32 F32"],
      [64, "I64 U64 F64 C64"],
    ] as const
  ).flatMap(([size, names]) => names.split(" ").map((name) => [name, size] as const)),
);

/** Opens one tensor; without a name, the file must hold just one. */
export async function openSafetensors(
  path: string,
  tensor: string | null,
  file: FileHandle,
  size: number,
): Promise<ArraySource> {
  const { entries, start } = await readHeader(path, file, size);
  const names = [...entries.keys()];
  const listed = `it holds ${names.length === 0 ? "none" : names.slice(0, 20).join(", ")}`;
  if (tensor === null && names.length !== 1) {
    throw new BadInput(`${path}: name the tensor, as in ${path}:NAME; ${listed}`);
  }
  const chosen = tensor ?? names[0];
  const entry = entries.get(chosen);
  if (entry === undefined) throw new BadInput(`${path}: no tensor ${JSON.stringify(chosen)}; ${listed}`);
  const name = `${path}:${chosen}`;
  const { dtype, shape, offsets } = entry;
  const type = elementType(typeNames[dtype] ?? "");
  if (type === undefined) throw new BadInput(`${name}: dtype ${dtype} is not read, expected floats or integers`);
  return regionSource({
    name,
    file,
    offset: start + offsets[0],
    shape,
    fortranOrder: false,
    type,
    littleEndian: true,
  });
}

async function readHeader(
  path: string,
  file: FileHandle,
  size: number,
): Promise<{ entries: Map<string, TensorEntry>; start: number }> {
  const prefix = Buffer.alloc(8);
  await readExactly(file, path, prefix, 8, 0);
  const length = prefix.readBigUInt64LE(0);
  if (length + 8n > BigInt(size)) {
    throw new BadInput(`${path}: the .safetensors header claims ${length} bytes in a file of ${size}`);
  }
  if (length > BigInt(LONGEST_HEADER)) {
    throw new BadInput(`${path}: the .safetensors header claims ${length} bytes, expected at most ${LONGEST_HEADER}`);
  }
  const header = Buffer.alloc(Number(length));
  await readExactly(file, path, header, header.length, 8);
  const entries = parseHeader(path, header);
  const start = header.length + 8;
  checkLayout(path, entries, size - start);
  return { entries, start };
}

function parseHeader(path: string, header: Buffer): Map<string, TensorEntry> {
  const refused = (what: string): BadInput => new BadInput(`${path}: the .safetensors header ${what}`);
  const text = header.toString("utf8");
  if (text[0] !== "{") throw refused(`begins with ${JSON.stringify(text.slice(0, 4))}, expected {`);
  if (jsonDepth(text, DEEPEST) > DEEPEST) throw refused(`is nested deeper than ${DEEPEST} levels`);
  try {
    JSON.parse(text);
  } catch {
    throw refused("is not JSON");
  }
  const entries = new Map<string, TensorEntry>();
  let metadata = false;
  for (const { key, text: value } of jsonMembers(text)) {
    if (entries.has(key) || (key === "__metadata__" && metadata)) throw refused(`holds ${JSON.stringify(key)} twice`);
    if (key !== "__metadata__") entries.set(key, parseEntry(`${path}:${key}`, value));
    else {
      metadata = true;
      const all = JSON.parse(value) as unknown;
      if (typeof all !== "object" || all === null || !Object.values(all).every((v) => typeof v === "string")) {
        throw refused("has __metadata__ that is not text by name");
      }
    }
  }
  return entries;
}

/** A list of integers as it is written: [6.0, 5] is a list of floats. */
const INTEGERS = /^\[\s*(?:\d+\s*(?:,\s*\d+\s*)*)?\]$/;

function parseEntry(name: string, text: string): TensorEntry {
  const damaged = (what: string): BadInput => new BadInput(`${name}: damaged .safetensors header: ${what}`);
  if (!text.startsWith("{")) throw damaged("expected dtype, shape and data_offsets");
  const fields = jsonMembers(text);
  const field = (key: string): JsonMember => {
    const found = fields.filter((member) => member.key === key);
    if (found.length !== 1) throw damaged(`expected dtype, shape and data_offsets, each once`);
    return found[0];
  };
  const integers = (key: string): number[] => {
    const { text: list } = field(key);
    const values = INTEGERS.test(list) ? (JSON.parse(list) as number[]) : null;
    if (values === null || !values.every(Number.isSafeInteger)) {
      throw damaged(`${key} is ${list.slice(0, 60)}, expected a list of integers >= 0`);
    }
    return values;
  };
  const dtype = JSON.parse(field("dtype").text) as unknown;
  const size = typeof dtype === "string" ? bits.get(dtype) : undefined;
  if (typeof dtype !== "string" || size === undefined) {
    throw damaged(`dtype is ${JSON.stringify(dtype)}, expected one of ${[...bits.keys()].join(", ")}`);
  }
  const offsets = integers("data_offsets");
  if (offsets.length !== 2) throw damaged(`data_offsets has ${offsets.length} numbers, expected 2`);
  const entry: TensorEntry = { dtype, shape: integers("shape"), offsets: [offsets[0], offsets[1]] };
  const [from, to] = entry.offsets;
  const bytes = (entry.shape.reduce((product, d) => product * d, 1) * size) / 8;
  if (to - from !== bytes) {
    const shape = `[${entry.shape.join(", ")}]`;
    throw new BadInput(`${name}: offsets ${from} to ${to} do not fit shape ${shape} of ${dtype}: ${bytes} bytes`);
  }
  return entry;
}

/** The tensors follow one another from the first byte to the last. */
function checkLayout(path: string, entries: ReadonlyMap<string, TensorEntry>, size: number): void {
  const ordered = [...entries].toSorted(([, a], [, b]) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  let end = 0;
  for (const [key, { offsets }] of ordered) {
    if (offsets[0] !== end) {
      const what = offsets[0] < end ? "overlaps the one before" : "leaves a hole before it";
      throw new BadInput(`${path}:${key}: begins at byte ${offsets[0]} of the data and ${what}, expected ${end}`);
    }
    end = offsets[1];
  }
  if (end > size) throw new BadInput(`${path}: the file is cut short: ${size} bytes of data, expected ${end}`);
  if (end < size) throw new BadInput(`${path}: ${size - end} bytes follow the last tensor, expected none`);
}
