/**
 * Element types of array files: their size and how their bytes become doubles.
 */
export interface ElementType {
  readonly name: string;
  readonly kind: "float" | "integer";
  readonly bytes: number;
  /** One element of a little- or big-endian buffer. Integers beyond 2^53 are rounded. */
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number;
}

function bfloat16(view: DataView, at: number, littleEndian: boolean): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setUint16(0, view.getUint16(at, littleEndian));
  return bits.getFloat32(0);
}

function float16(view: DataView, at: number, littleEndian: boolean): number {
  const bits = view.getUint16(at, littleEndian);
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const types: readonly ElementType[] = [
  { name: "float16", kind: "float", bytes: 2, read: float16 },
  { name: "bfloat16", kind: "float", bytes: 2, read: bfloat16 },
  { name: "float32", kind: "float", bytes: 4, read: (v, at, le) => v.getFloat32(at, le) },
  { name: "float64", kind: "float", bytes: 8, read: (v, at, le) => v.getFloat64(at, le) },
  { name: "int8", kind: "integer", bytes: 1, read: (v, at) => v.getInt8(at) },
  { name: "uint8", kind: "integer", bytes: 1, read: (v, at) => v.getUint8(at) },
  { name: "int16", kind: "integer", bytes: 2, read: (v, at, le) => v.getInt16(at, le) },
  { name: "uint16", kind: "integer", bytes: 2, read: (v, at, le) => v.getUint16(at, le) },
  { name: "int32", kind: "integer", bytes: 4, read: (v, at, le) => v.getInt32(at, le) },
  { name: "uint32", kind: "integer", bytes: 4, read: (v, at, le) => v.getUint32(at, le) },
  { name: "int64", kind: "integer", bytes: 8, read: (v, at, le) => Number(v.getBigInt64(at, le)) },
  { name: "uint64", kind: "integer", bytes: 8, read: (v, at, le) => Number(v.getBigUint64(at, le)) },
];

const byName = new Map(types.map((type) => [type.name, type]));

/** The element type of a name as NumPy prints it, or undefined. */
export function elementType(name: string): ElementType | undefined {
  return byName.get(name);
}
