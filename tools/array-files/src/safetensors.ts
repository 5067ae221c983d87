/**
 * .safetensors: the length of a JSON header, the header, then the elements of all tensors, little-endian, C order.
 *
 * https://huggingface.co/docs/safetensors. A tensor is chosen by `file.safetensors:name`.
 */
import type { FileHandle } from "node:fs/promises";
import { type ArraySource, readExactly, regionSource } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { elementType } from "./element-type.ts";

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;

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
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Opens one tensor; without a name, the file must hold just one. */
export async function openSafetensors(
  path: string,
  tensor: string | null,
  file: FileHandle,
  size: number,
): Promise<ArraySource> {
  const entries = await readHeader(path, file, size);
  const names = [...entries.keys()];
  const listed = `it holds ${names.length === 0 ? "none" : names.slice(0, 20).join(", ")}`;
  if (tensor === null && names.length !== 1) {
    throw new BadInput(`${path}: name the tensor, as in ${path}:NAME; ${listed}`);
  }
  const chosen = tensor ?? names[0];
  const entry = entries.get(chosen);
  if (entry === undefined) throw new BadInput(`${path}: no tensor ${JSON.stringify(chosen)}; ${listed}`);
  const name = `${path}:${chosen}`;
  const { dtype, shape, data_offsets: offsets } = checkEntry(name, entry);
  const type = elementType(typeNames[dtype] ?? "");
  if (type === undefined) throw new BadInput(`${name}: dtype ${dtype} is not read, expected floats or integers`);
  const start = (await headerLength(path, file, size)) + 8;
  const bytes = shape.reduce((product, d) => product * d, 1) * type.bytes;
  if (offsets[1] - offsets[0] !== bytes) {
    throw new BadInput(
      `${name}: offsets ${offsets[0]} to ${offsets[1]} do not fit shape [${shape.join(", ")}] of ${dtype}: ${bytes} bytes`,
    );
  }
  if (start + offsets[1] > size) {
    throw new BadInput(`${name}: the file is cut short: ${size} bytes, expected at least ${start + offsets[1]}`);
  }
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

async function headerLength(path: string, file: FileHandle, size: number): Promise<number> {
  const prefix = Buffer.alloc(8);
  await readExactly(file, path, prefix, 8, 0);
  const length = prefix.readBigUInt64LE(0);
  if (length > BigInt(LONGEST_HEADER) || length + 8n > BigInt(size)) {
    throw new BadInput(`${path}: the .safetensors header claims ${length} bytes in a file of ${size}`);
  }
  return Number(length);
}

async function readHeader(path: string, file: FileHandle, size: number): Promise<Map<string, unknown>> {
  const header = Buffer.alloc(await headerLength(path, file, size));
  await readExactly(file, path, header, header.length, 8);
  let parsed: unknown;
  try {
    parsed = JSON.parse(header.toString("utf8"));
  } catch {
    throw new BadInput(`${path}: the .safetensors header is not JSON`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new BadInput(`${path}: the .safetensors header is not a JSON object`);
  }
  const entries = new Map(Object.entries(parsed));
  entries.delete("__metadata__");
  return entries;
}

function checkEntry(name: string, entry: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Partial<TensorEntry>;
  const whole = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;
  if (
    typeof dtype !== "string" ||
    !Array.isArray(shape) ||
    !shape.every(whole) ||
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(whole)
  ) {
    throw new BadInput(`${name}: damaged .safetensors header: expected dtype, shape and data_offsets`);
  }
  return { dtype, shape, data_offsets: offsets };
}
