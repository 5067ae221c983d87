import { Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedLines } from "./bounded-lines.ts";

const linesOf = async (chunks: readonly Buffer[], limit: number): Promise<(string | null)[]> => {
  const lines: (string | null)[] = [];
  for await (const line of boundedLines(Readable.from(chunks), limit)) lines.push(line);
  return lines;
};

describe("lines up to a limit", () => {
  it("are the same however the stream is cut, and null beyond it", async () => {
    const text = "abcde\nabcdef\nabcde\r\nabcdef\r\n\né€\n1234567890\nend";
    const expected = ["abcde", null, "abcde", null, "", "é€", null, "end"];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
        const bytes = Buffer.from(text);
        const ends = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end));
        expect(await linesOf(chunks, 5)).toEqual(expected);
      }),
    );
  });
});
