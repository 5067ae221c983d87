/**
 * Lines of a stream, none longer than a limit: what passes it is dropped as it comes, so that memory stays bounded.
 */
import type { Readable } from "node:stream";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * The lines of a stream in UTF-8, without their ends (LF or CRLF).
 *
 * @param limit  bytes of a line, its end not counted.
 * @returns null in place of a line that is longer.
 */
export async function* boundedLines(input: Readable, limit: number): AsyncGenerator<string | null> {
  let held: Buffer[] = [];
  let size = 0;
  const keep = (part: Buffer): void => {
    size += part.length;
    // One byte more for the return before a newline.
    if (size > limit + 1) held = [];
    else if (part.length > 0) held.push(part);
  };
  const take = (): string | null => {
    const bytes = Buffer.concat(held);
    const length = size;
    held = [];
    size = 0;
    if (length > limit + 1) return null;
    const end = bytes.at(-1) === RETURN ? length - 1 : length;
    return end > limit ? null : bytes.toString("utf8", 0, end);
  };
  for await (const chunk of input) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Buffer);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      keep(bytes.subarray(from, end));
      from = end + 1;
      yield take();
    }
    keep(bytes.subarray(from));
  }
  if (size > 0) yield take();
}
