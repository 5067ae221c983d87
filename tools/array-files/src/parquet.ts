/**
 * Parquet tables: all columns, or the one that `file.parquet:column` names, as numbers, one row group at a time.
 *
 * A column of lists of one length each is as many columns as a list has numbers: embeddings are stored like that.
 */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { FileHandle } from "node:fs/promises";
import { type AsyncBuffer, parquetMetadataAsync, parquetRead, type Compressors, type FileMetaData } from "hyparquet";
import { type ArraySource, type Numbers, readExactly } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";

/** A row group is held in memory. */
const LARGEST_GROUP = 2 ** 27;
const LARGEST_FOOTER = 2 ** 25;
/** Pandas keeps its row names in a column. */
const INDEX_COLUMN = /^__index_level_\d+__$/;

const compressors: Compressors = {
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

interface Table {
  readonly name: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
}

/**
 * @param column  the one to read; null for all.
 * @param except  columns that are left out of all.
 */
export async function openParquet(
  path: string,
  column: string | null,
  file: FileHandle,
  size: number,
  except: readonly string[] = [],
): Promise<ArraySource> {
  const buffer: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = new Uint8Array(Math.max(0, end - start));
      await readExactly(file, path, bytes, bytes.length, start);
      return bytes.buffer;
    },
  };
  const metadata = await readMetadata(path, buffer);
  const all = topLevelColumns(metadata);
  if (column !== null && !all.includes(column)) {
    throw new BadInput(`${path}: no column ${JSON.stringify(column)}; it holds ${all.slice(0, 20).join(", ")}`);
  }
  const index = all.filter((name) => INDEX_COLUMN.test(name));
  const columns = column === null ? all.filter((name) => !except.includes(name) && !index.includes(name)) : [column];
  if (columns.length === 0) throw new BadInput(`${path}: holds no columns to read`);
  const name = column === null ? path : `${path}:${column}`;
  const table: Table = { name, buffer, metadata, columns };
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  // Widths and types show in the values of the first row group.
  const first = rows === 0 ? { data: new Float64Array(0), width: columns.length } : await readGroup(table, 0, 0);
  const integers = column !== null && first.width === 1 && first.data.every(Number.isInteger);
  const notes = [
    ...(column === null && index.length > 0 ? [`${path}: column ${index.join(", ")} is taken for row names`] : []),
    ...(column === null && except.length > 0 ? [`${path}: column ${except.join(", ")} is no feature`] : []),
  ];
  async function* blocks(rowsPerBlock: number): AsyncGenerator<Numbers> {
    let from = 0;
    for (const [g, group] of metadata.row_groups.entries()) {
      if (Number(group.num_rows) === 0) continue;
      const { data, width } = g === 0 ? first : await readGroup(table, g, from);
      if (width !== first.width) throw new BadInput(`${name}: row ${from}: ${width} numbers, expected ${first.width}`);
      from += data.length / width;
      const step = rowsPerBlock * width;
      for (let at = 0; at < data.length; at += step) yield data.slice(at, at + step);
    }
  }
  return {
    name,
    shape: column !== null && first.width === 1 ? [rows] : [rows, first.width],
    kind: integers ? "integer" : "float",
    typeName: "Parquet columns",
    notes,
    blocks,
    close: () => file.close(),
  };
}

async function readMetadata(path: string, buffer: AsyncBuffer): Promise<FileMetaData> {
  try {
    const end = new DataView(await buffer.slice(Math.max(0, buffer.byteLength - 8)));
    if (end.byteLength < 8 || end.getUint32(4) !== 0x50_41_52_31) throw new Error("it does not end in PAR1");
    const footer = end.getUint32(0, true);
    if (footer > LARGEST_FOOTER)
      throw new Error(`its footer claims ${footer} bytes, expected at most ${LARGEST_FOOTER}`);
    return await parquetMetadataAsync(buffer);
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${path}: not a Parquet file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function topLevelColumns({ schema, row_groups: groups }: FileMetaData): string[] {
  const used = groups[0]?.columns.map(({ meta_data: meta }) => meta?.path_in_schema[0] ?? "");
  return used === undefined ? schema.slice(1).map(({ name }) => name) : [...new Set(used)];
}

/** The numbers of a row group, row-major. */
async function readGroup(
  { name, buffer, metadata, columns }: Table,
  group: number,
  rowStart: number,
): Promise<{ data: Float64Array; width: number }> {
  const rows = Number(metadata.row_groups[group].num_rows);
  if (rows * columns.length > LARGEST_GROUP) {
    throw new BadInput(`${name}: row group ${group} holds ${rows} rows of ${columns.length} columns, too many at once`);
  }
  const parts: { values: ArrayLike<unknown>; width: number; column: string }[] = [];
  for (const column of columns) {
    const values = await readColumn(name, buffer, metadata, column, rowStart, rows);
    const first = values[0];
    parts.push({ values, column, width: isList(first) ? first.length : 1 });
  }
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  if (rows * width > LARGEST_GROUP) throw new BadInput(`${name}: row group ${group} holds too many numbers at once`);
  const data = new Float64Array(rows * width);
  let at = 0;
  for (const { values, width: wide, column } of parts) {
    for (let r = 0; r < rows; r++) {
      const value = values[r];
      const list = isList(value) ? value : [value];
      if (list.length !== wide) {
        throw new BadInput(`${name}: row ${rowStart + r}, ${column}: ${list.length} numbers, expected ${wide}`);
      }
      for (let i = 0; i < wide; i++) {
        const x = list[i];
        if (typeof x !== "number" && typeof x !== "bigint") {
          const text = x === undefined || x === null ? "missing" : JSON.stringify(x).slice(0, 40);
          throw new BadInput(`${name}: row ${rowStart + r}, column ${column} is ${text}, expected a number`);
        }
        data[r * width + at + i] = Number(x);
      }
    }
    at += wide;
  }
  return { data, width };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

async function readColumn(
  name: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  column: string,
  rowStart: number,
  rows: number,
): Promise<ArrayLike<unknown>> {
  try {
    const values: unknown[] = [];
    await parquetRead({
      file,
      metadata,
      columns: [column],
      rowStart,
      rowEnd: rowStart + rows,
      compressors,
      onComplete: (all: unknown[][]) => {
        for (const [value] of all) values.push(value);
      },
    });
    if (values.length !== rows) throw new Error(`${values.length} values, expected ${rows}`);
    return values;
  } catch (error) {
    if (error instanceof BadInput) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadInput(`${name}: column ${column}: ${reason.split("\n")[0]}`);
  }
}
