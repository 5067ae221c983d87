/**
 * Writes a .safetensors file: the length of a JSON header, the header, the elements of each tensor in turn.
 *
 * https://huggingface.co/docs/safetensors. Little-endian, C order; the data begin at a multiple of 8 bytes.
 */
import { endianness } from "node:os";

export interface TensorToWrite {
  readonly shape: readonly number[];
  /** The elements in C order; Int32Array becomes I32. */
  readonly data: Float64Array | Float32Array | Int32Array;
}

function typeName(data: TensorToWrite["data"]): string {
  if (data instanceof Float64Array) return "F64";
  return data instanceof Float32Array ? "F32" : "I32";
}

function littleEndian(data: TensorToWrite["data"]): Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (endianness() === "LE") return bytes;
  const copy = Buffer.from(bytes);
  return data.BYTES_PER_ELEMENT === 8 ? copy.swap64() : copy.swap32();
}

/**
 * The bytes of a file that holds these tensors, in their order.
 *
 * @param metadata  text by name, kept under "__metadata__".
 * @throws RangeError if a tensor's elements do not fit its shape.
 */
export function safetensorsBytes(
  tensors: Readonly<Record<string, TensorToWrite>>,
  metadata: Readonly<Record<string, string>> = {},
): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const elements = shape.reduce((product, d) => product * d, 1);
    if (elements !== data.length) {
      throw new RangeError(
        `safetensorsBytes: ${name} has ${data.length} elements, expected ${elements} for shape [${shape.join(", ")}]`,
      );
    }
    header[name] = { dtype: typeName(data), shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(littleEndian(data));
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}
