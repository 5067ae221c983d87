/**
 * The lines of a text file, of whatever line endings, mixed too, in UTF-8 or, by its mark, UTF-16.
 */
import type { FileHandle } from "node:fs/promises";
import { TextDecoder } from "node:util";
import { BadInput } from "./bad-input.ts";

export interface TextLine {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** A line is held in memory. */
const LONGEST_LINE = 2 ** 25;
const CHUNK = 2 ** 20;
const END = /\r\n|\n|\r/g;

/** Lines without their ends. A quoted value may hold line ends, which then do not end the line. */
export async function* textLines(name: string, file: FileHandle): AsyncGenerator<TextLine> {
  let parts: string[] = [];
  let length = 0;
  let open = false;
  let number = 1;
  let ends = 0;
  const add = (part: string): void => {
    length += part.length;
    if (length > LONGEST_LINE) {
      throw new BadInput(`${name}: line ${number} is longer than ${LONGEST_LINE} characters, the most that is read`);
    }
    parts.push(part);
    if (quotes(part) % 2 === 1) open = !open;
  };
  for await (const chunk of chunksOf(file)) {
    let from = 0;
    END.lastIndex = 0;
    for (let end = END.exec(chunk); end !== null; end = END.exec(chunk)) {
      add(chunk.slice(from, end.index));
      from = END.lastIndex;
      ends += 1;
      if (open) {
        add("\n");
        continue;
      }
      yield { text: parts.length === 1 ? parts[0] : parts.join(""), line: number };
      number += ends;
      ends = 0;
      parts = [];
      length = 0;
    }
    if (from < chunk.length) add(chunk.slice(from));
  }
  if (parts.length > 0) yield { text: parts.join(""), line: number };
}

function quotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

/** The text in pieces, none of which ends between the two characters of a line end. */
async function* chunksOf(file: FileHandle): AsyncGenerator<string> {
  const bytes = Buffer.allocUnsafe(CHUNK);
  let decoder: TextDecoder | undefined;
  let held = "";
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(bytes, 0, CHUNK, position);
    decoder ??= new TextDecoder(encodingOf(bytes.subarray(0, bytesRead)));
    const text = held + decoder.decode(bytes.subarray(0, bytesRead), { stream: bytesRead > 0 });
    position += bytesRead;
    const isSplit = bytesRead > 0 && text.endsWith("\r");
    held = isSplit ? "\r" : "";
    yield isSplit ? text.slice(0, -1) : text;
    if (bytesRead === 0) return;
  }
}

function encodingOf(start: Buffer): string {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  return start[0] === 0xfe && start[1] === 0xff ? "utf-16be" : "utf-8";
}
