/**
 * Writes array files for tests, in every layout that the formats allow; independent of the readers.
 */
export type WrittenType =
  | "float16"
  | "float32"
  | "float64"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64";

interface Layout {
  readonly descr: string;
  readonly safetensors: string;
  readonly bytes: number;
  readonly write: (view: DataView, at: number, value: number, littleEndian: boolean) => void;
}

/** A number in half precision, for values that half precision holds. */
function float16Bits(value: number): number {
  if (value === 0) return 0;
  if (value === -Infinity) return 0xfc00;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.abs(value) / 2 ** exponent - 1;
  return ((value < 0 ? 1 : 0) << 15) | ((exponent + 15) << 10) | (fraction * 1024);
}

const layouts: Readonly<Record<WrittenType, Layout>> = {
  float16: { descr: "f2", safetensors: "F16", bytes: 2, write: (v, at, x, le) => v.setUint16(at, float16Bits(x), le) },
  float32: { descr: "f4", safetensors: "F32", bytes: 4, write: (v, at, x, le) => v.setFloat32(at, x, le) },
  float64: { descr: "f8", safetensors: "F64", bytes: 8, write: (v, at, x, le) => v.setFloat64(at, x, le) },
  int8: { descr: "i1", safetensors: "I8", bytes: 1, write: (v, at, x) => v.setInt8(at, x) },
  uint8: { descr: "u1", safetensors: "U8", bytes: 1, write: (v, at, x) => v.setUint8(at, x) },
  int16: { descr: "i2", safetensors: "I16", bytes: 2, write: (v, at, x, le) => v.setInt16(at, x, le) },
  uint16: { descr: "u2", safetensors: "U16", bytes: 2, write: (v, at, x, le) => v.setUint16(at, x, le) },
  int32: { descr: "i4", safetensors: "I32", bytes: 4, write: (v, at, x, le) => v.setInt32(at, x, le) },
  uint32: { descr: "u4", safetensors: "U32", bytes: 4, write: (v, at, x, le) => v.setUint32(at, x, le) },
  int64: { descr: "i8", safetensors: "I64", bytes: 8, write: (v, at, x, le) => v.setBigInt64(at, BigInt(x), le) },
  uint64: { descr: "u8", safetensors: "U64", bytes: 8, write: (v, at, x, le) => v.setBigUint64(at, BigInt(x), le) },
};

function elements(values: readonly number[], layout: Layout, littleEndian: boolean): Buffer {
  const bytes = Buffer.alloc(values.length * layout.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  values.forEach((value, i) => layout.write(view, i * layout.bytes, value, littleEndian));
  return bytes;
}

export interface NpyOptions {
  readonly type?: WrittenType;
  readonly littleEndian?: boolean;
  readonly fortranOrder?: boolean;
  readonly version?: 1 | 2 | 3;
}

/** An .npy file of row-major values. */
export function npyFile(values: readonly number[], shape: readonly number[], options: NpyOptions = {}): Buffer {
  const { type = "float64", littleEndian = true, fortranOrder = false, version = 1 } = options;
  const layout = layouts[type];
  const [rows, columns = 1] = shape;
  const ordered = fortranOrder
    ? Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)])
    : values;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const mark = layout.bytes === 1 ? "|" : littleEndian ? "<" : ">";
  const order = fortranOrder ? "True" : "False";
  return npyBytes(
    `{'descr': '${mark}${layout.descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }\n`,
    elements(ordered, layout, littleEndian),
    version,
  );
}

/** An .npy file of any header text and data. */
export function npyBytes(header: string, data: Buffer, version = 1): Buffer {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([
    Buffer.from("\x93NUMPY", "latin1"),
    Buffer.from([version, 0]),
    length,
    Buffer.from(header, "latin1"),
    data,
  ]);
}

export interface Tensor {
  readonly values: readonly number[];
  readonly shape: readonly number[];
  readonly type: WrittenType;
}

/** A .safetensors file of several tensors. */
export function safetensorsFile(tensors: Readonly<Record<string, Tensor>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, { values, shape, type }] of Object.entries(tensors)) {
    const bytes = elements(values, layouts[type], true);
    header[name] = { dtype: layouts[type].safetensors, shape, data_offsets: [offset, offset + bytes.length] };
    parts.push(bytes);
    offset += bytes.length;
  }
  return safetensorsBytes(JSON.stringify(header), Buffer.concat(parts));
}

/** A .safetensors file of any header text and data. */
export function safetensorsBytes(header: string, data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}
