/**
 * .csv: a row a line, numbers between commas, with a heading and row names or without: see csv-head.ts.
 *
 * The file is read twice: once to count and check its rows, once for the numbers. Line endings may be mixed, and blanks
 * may stand around a value.
 */
import type { FileHandle } from "node:fs/promises";
import type { ArraySource, Numbers } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { BrokenLine, type Cell, cellsOf, MOST_COLUMNS } from "./csv-cells.ts";
import { type CsvHead, type CsvOptions, decideHead } from "./csv-head.ts";
import { type TextLine, textLines } from "./text-lines.ts";
import { toNumber } from "./text-number.ts";

/** Lines by which heading and row names are recognised, fewer where they are long. */
const HEAD_LINES = 100;
const HEAD_CHARACTERS = 2 ** 20;

/** Lines that are not blank. */
async function* linesOf(name: string, file: FileHandle): AsyncGenerator<TextLine> {
  for await (const line of textLines(name, file)) if (line.text.trim() !== "") yield line;
}

function cells(name: string, { text, line }: TextLine): Cell[] {
  try {
    return cellsOf(text);
  } catch (error) {
    if (error instanceof BrokenLine)
      throw new BadInput(`${name}: line ${line}${error.message.startsWith("c") ? ", " : " "}${error.message}`);
    throw error;
  }
}

/** The numbers of a line, appended to `out` from `at`. @returns how many. */
function readRow(name: string, line: TextLine, index: boolean, out: number[]): number {
  const { text } = line;
  const from = index ? 1 : 0;
  out.length = 0;
  // Most lines have no quotes, and are cut at their commas.
  if (text.includes('"')) {
    const all = cells(name, line);
    for (let c = from; c < all.length; c++) out.push(numberOf(name, line, c, all[c].text));
    return out.length;
  }
  for (let c = 0, at = 0; at <= text.length; c++) {
    const comma = text.indexOf(",", at);
    const end = comma < 0 ? text.length : comma;
    if (c >= from) out.push(numberOf(name, line, c, text.slice(at, end)));
    if (c >= MOST_COLUMNS) {
      throw new BadInput(`${name}: line ${line.line} has more than ${MOST_COLUMNS} values, the most that are read`);
    }
    at = end + 1;
  }
  return out.length;
}

function numberOf(name: string, { line }: TextLine, column: number, text: string): number {
  const value = toNumber(text.trim());
  if (value !== null) return value;
  const trimmed = text.trim();
  throw new BadInput(
    `${name}: line ${line}, column ${column + 1}${trimmed === "" ? " is empty, expected a number" : `: ${JSON.stringify(trimmed.slice(0, 40))} is not a number`}`,
  );
}

interface Survey {
  readonly head: CsvHead;
  readonly rows: number;
  readonly columns: number;
  readonly integers: boolean;
}

/** Reads the file once: its head, its size, and whether every line is a row of numbers. */
async function survey(name: string, file: FileHandle, options: CsvOptions): Promise<Survey> {
  const waiting: TextLine[] = [];
  let characters = 0;
  let head: CsvHead | null = null;
  let rows = 0;
  let columns = -1;
  let integers = true;
  const values: number[] = [];
  const take = (line: TextLine, { index }: CsvHead): void => {
    const length = readRow(name, line, index, values);
    if (columns < 0) columns = length;
    rows += 1;
    if (length !== columns) {
      const extra = index ? " besides its name" : "";
      throw new BadInput(
        `${name}: line ${line.line} has ${length} values${extra}, expected ${columns} as in the first`,
      );
    }
    integers &&= values.every(Number.isInteger);
  };
  const decide = (): CsvHead => {
    const all = waiting.map((line) => cells(name, line));
    const found = decideHead(name, all, options);
    for (const line of found.heading ? waiting.slice(1) : waiting) take(line, found);
    // A heading alone says how many classes there are.
    if (columns < 0) columns = all[0].length - (found.index ? 1 : 0);
    waiting.length = 0;
    return found;
  };
  for await (const line of linesOf(name, file)) {
    if (head !== null) {
      take(line, head);
      continue;
    }
    waiting.push(line);
    characters += line.text.length;
    if (waiting.length > HEAD_LINES || characters > HEAD_CHARACTERS) head = decide();
  }
  if (head === null) {
    if (waiting.length === 0) throw new BadInput(`${name}: is empty, expected rows of numbers`);
    head = decide();
  }
  return { head, rows, columns, integers };
}

/** Opens a .csv as a matrix, or as a vector if every line holds one number. */
export async function openCsv(name: string, file: FileHandle, options: CsvOptions = {}): Promise<ArraySource> {
  const { head, rows, columns, integers } = await survey(name, file, options);
  async function* blocks(rowsPerBlock: number): AsyncGenerator<Numbers> {
    let block = new Float64Array(Math.min(rows, rowsPerBlock) * columns);
    let count = 0;
    let seen = 0;
    let isHeading = head.heading;
    const values: number[] = [];
    for await (const line of linesOf(name, file)) {
      if (isHeading) {
        isHeading = false;
        continue;
      }
      readRow(name, line, head.index, values);
      block.set(values, count * columns);
      seen += 1;
      if (++count === rowsPerBlock) {
        yield block;
        block = new Float64Array(Math.min(rows - seen, rowsPerBlock) * columns);
        count = 0;
      }
    }
    if (count > 0) yield block.subarray(0, count * columns);
  }
  return {
    name,
    shape: columns === 1 ? [rows] : [rows, columns],
    kind: integers && columns === 1 ? "integer" : "float",
    typeName: "text",
    notes: head.notes,
    blocks,
    close: () => file.close(),
  };
}
