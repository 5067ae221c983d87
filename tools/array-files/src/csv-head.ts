/**
 * What a table of text says about itself: whether its first line is a heading, and whether its first column holds row
 * names. Decided from the first lines together, never from one; what stays ambiguous is refused, and the user says.
 */
import { BadInput } from "./bad-input.ts";
import type { Cell } from "./csv-cells.ts";
import { isMissing, toNumber } from "./text-number.ts";

/** What the user says where a file leaves it open. */
export interface CsvOptions {
  /** Whether the first line is a heading. */
  readonly header?: boolean | undefined;
  /** Whether the first column holds row names. */
  readonly indexColumn?: boolean | undefined;
}

export interface CsvHead {
  readonly heading: boolean;
  readonly index: boolean;
  readonly notes: readonly string[];
}

type Row = readonly Cell[];

const isNumber = ({ text }: Cell): boolean => toNumber(text) !== null;
/** Text that is neither a number nor what stands for a missing one. */
const isText = (cell: Cell): boolean => !isNumber(cell) && !isMissing(cell.text);
const isPlainInteger = ({ text }: Cell): boolean => /^\d+$/.test(text);

/** Whether cells count up from 0 or from 1. */
function counts(cells: readonly Cell[]): boolean {
  return (
    cells.every(isPlainInteger) &&
    cells.every(({ text }, i) => Number(text) === Number(cells[0].text) + i) &&
    Number(cells[0].text) <= 1
  );
}

/** @param rows  the first lines, of any lengths. */
export function decideHead(name: string, rows: readonly Row[], options: CsvOptions): CsvHead {
  if (rows.length === 0) return { heading: false, index: false, notes: [] };
  const heading = options.header ?? isHeading(name, rows, options.indexColumn);
  const body = heading ? rows.slice(1) : rows;
  const index = options.indexColumn ?? isIndexed(name, heading ? rows[0] : null, body);
  const notes = [
    ...(heading && options.header === undefined ? [`${name}: line 1 is taken for a heading`] : []),
    ...(index && options.indexColumn === undefined ? [`${name}: column 1 is taken for row names`] : []),
  ];
  return { heading, index, notes };
}

function isHeading(name: string, rows: readonly Row[], indexColumn: boolean | undefined): boolean {
  const [first, ...body] = rows;
  const isShort = body.length > 0 && first.length === body[0].length - 1;
  if (isShort && (first.some(isText) || counts(first))) return true;
  // Row names may be text in every line, and say nothing.
  const named = indexColumn ?? [...(body.length > 0 ? body : rows)].every((row) => row.length > 1 && isNamed(row[0]));
  const cells = named && first.length > 1 ? first.slice(1) : first;
  if (cells.some(isText)) {
    // One word among numbers is an error in a sample rather than the name of a class.
    return cells.filter(isText).length > cells.filter(isNumber).length;
  }
  if (body.length === 0) return false;
  // Pandas leaves the corner empty, and its names of columns count from 0.
  const corner = first.length > 1 && first[0].text === "";
  const names = corner ? first.slice(1) : cells;
  if (names.length === 0 || !counts(names)) return false;
  if (corner) return true;
  if (names.length === 1) return false;
  const others = body.flatMap((row) => row.slice(first.length - names.length));
  const decimals = others.some((cell) => isNumber(cell) && !/^[-+]?\d+$/.test(cell.text));
  if (names.length > 2 && decimals) return true;
  if (names.length === 2 && !decimals) return false;
  throw new BadInput(
    `${name}: line 1 counts ${names[0].text}, ${names[1].text}, ...: a heading or a sample? say --header yes or no`,
  );
}

function isNamed(cell: Cell): boolean {
  return isText(cell) || (cell.quoted && cell.text !== "");
}

function isIndexed(name: string, heading: Row | null, body: readonly Row[]): boolean {
  if (body.length === 0) return heading !== null && heading.length > 1 && heading[0].text === "";
  const width = body[0].length;
  if (width < 2) return false;
  if (heading !== null && heading.length === width - 1) return true;
  if (heading !== null && (heading[0].text === "" || /^Unnamed: 0$/.test(heading[0].text))) return true;
  const column = body.flatMap((row) => row.slice(0, 1));
  if (column.every(isText)) return true;
  const rest = body.flatMap((row) => row.slice(1));
  // R quotes its row names and not its numbers.
  if (column.every(({ quoted }) => quoted) && !rest.some(({ quoted }) => quoted)) return true;
  if (!counts(column) || column.length < 2) return false;
  if (column.length === 2 && rest.every(isPlainInteger)) return false;
  throw new BadInput(
    `${name}: column 1 counts ${column[0].text}, ${column[1].text}, ...: row names or numbers? say --index-column yes or no`,
  );
}
