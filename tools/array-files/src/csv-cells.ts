/**
 * The values of a line, between commas; blanks around them are not theirs.
 *
 * A line without quotes is cut at its commas; quotes are read as RFC 4180 has them.
 */
export interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

/** A row of a line is held in memory. */
export const MOST_COLUMNS = 2_000_000;

/** Where a line is not what RFC 4180 allows. */
export class BrokenLine extends Error {}

/** @throws BrokenLine saying which value, and what is wrong with it. */
export function cellsOf(line: string): Cell[] {
  const cells: Cell[] = [];
  for (let at = 0; ; at++) {
    const start = afterBlanks(line, at);
    const quoted = line[start] === '"';
    let text: string;
    if (quoted) {
      [text, at] = quotedText(line, start, cells.length + 1);
    } else {
      const comma = line.indexOf(",", at);
      text = line.slice(at, comma < 0 ? line.length : comma).trim();
      at = comma < 0 ? line.length : comma;
    }
    cells.push({ text, quoted });
    if (cells.length > MOST_COLUMNS)
      throw new BrokenLine(`has more than ${MOST_COLUMNS} values, the most that are read`);
    if (at >= line.length) return cells;
  }
}

function afterBlanks(line: string, at: number): number {
  while (line[at] === " " || line[at] === "\t") at++;
  return at;
}

/** The text between quotes, two of which stand for one, and where the value ends. */
function quotedText(line: string, start: number, column: number): [text: string, end: number] {
  let text = "";
  for (let at = start + 1; ;) {
    const quote = line.indexOf('"', at);
    if (quote < 0) throw new BrokenLine(`column ${column}: a quote is not closed`);
    text += line.slice(at, quote);
    if (line[quote + 1] === '"') {
      text += '"';
      at = quote + 2;
      continue;
    }
    const end = afterBlanks(line, quote + 1);
    if (end < line.length && line[end] !== ",") throw new BrokenLine(`column ${column}: text follows a closing quote`);
    return [text.trim(), end];
  }
}
