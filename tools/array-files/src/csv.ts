/**
 * .csv: a row a line, numbers between commas; a first line without any number is a heading.
 *
 * The file is read twice: once to count and check its rows, once for the numbers.
 */
import { createReadStream } from "node:fs";
import { parse } from "csv-parse";
import type { ArraySource } from "./array-source.ts";
import { BadInput, systemReason } from "./bad-input.ts";

/** Text as a number; "inf" and "-Infinity" are read so that a bad value is refused by name, not as text. */
function toNumber(text: string): number | null {
  const trimmed = text.trim();
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed)) return Number(trimmed);
  const named = /^([-+]?)(inf|infinity|nan)$/i.exec(trimmed);
  if (named === null) return null;
  return named[2].toLowerCase() === "nan" ? NaN : named[1] === "-" ? -Infinity : Infinity;
}

interface Line {
  readonly values: number[];
  /** Line in the file, from 1. */
  readonly line: number;
}

async function* linesOf(name: string): AsyncGenerator<Line> {
  const stream = createReadStream(name);
  const parser = parse({
    relax_column_count: true,
    skip_empty_lines: true,
    info: true,
    bom: true,
    max_record_size: 2 ** 30,
  });
  stream.on("error", (error) => parser.destroy(error));
  let first = true;
  try {
    for await (const { record, info } of stream.pipe(parser) as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      const values = record.map(toNumber);
      const bad = values.indexOf(null);
      const heading = first && values.every((v) => v === null);
      first = false;
      if (heading) continue;
      if (bad >= 0) {
        throw new BadInput(
          `${name}: line ${info.lines}, column ${bad + 1}: ${JSON.stringify(record[bad].slice(0, 40))} is not a number`,
        );
      }
      yield { values: values as number[], line: info.lines };
    }
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${name}: ${systemReason(error).split("\n")[0]}`);
  } finally {
    stream.destroy();
  }
}

/** Opens a .csv as a matrix, or as a vector if every line holds one number. */
export async function openCsv(name: string): Promise<ArraySource> {
  let rows = 0;
  let columns = 0;
  let integers = true;
  for await (const { values, line } of linesOf(name)) {
    if (rows++ === 0) columns = values.length;
    if (values.length !== columns) {
      throw new BadInput(`${name}: line ${line} has ${values.length} values, expected ${columns} as in the first`);
    }
    integers &&= values.every(Number.isInteger);
  }
  async function* blocks(rowsPerBlock: number): AsyncGenerator<Float64Array> {
    let block: number[] = [];
    let count = 0;
    for await (const { values } of linesOf(name)) {
      for (const v of values) block.push(v);
      if (++count === rowsPerBlock) {
        yield Float64Array.from(block);
        block = [];
        count = 0;
      }
    }
    if (count > 0) yield Float64Array.from(block);
  }
  return {
    name,
    shape: columns === 1 ? [rows] : [rows, columns],
    kind: integers && columns === 1 ? "integer" : "float",
    typeName: "text",
    blocks,
    close: async () => {},
  };
}
