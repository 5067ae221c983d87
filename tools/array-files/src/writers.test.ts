import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { openArray } from "./open-array.ts";
import { safetensorsBytes } from "./safetensors-writer.ts";
import { writeWhole } from "./unfinished.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

describe("safetensorsBytes", () => {
  it("is read back to the bit, tensor by tensor, from names of any length", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 20 }),
        fc.stringMatching(/^[a-z.]{1,30}$/),
        async (values, name) => {
          const doubles = Float64Array.from(values);
          const singles = Float32Array.from(values);
          const integers = Int32Array.from(values.keys());
          const bytes = safetensorsBytes(
            {
              [`${name}a`]: { shape: [values.length], data: doubles },
              [`${name}b`]: { shape: [values.length, 1], data: singles },
              [`${name}c`]: { shape: [values.length], data: integers },
            },
            { made: "by a test" },
          );
          writeFileSync(path("w.safetensors"), bytes);
          for (const [letter, data] of Object.entries({ a: doubles, b: singles, c: integers })) {
            const source = await openArray(`${path("w.safetensors")}:${name}${letter}`);
            const read: number[] = [];
            for await (const block of source.blocks(3)) read.push(...block);
            await source.close();
            expect(read).toEqual([...data]);
          }
        },
      ),
    );
  });

  it("puts the data at a multiple of 8 bytes, whatever the header's length", () => {
    for (let length = 1; length <= 16; length++) {
      const bytes = safetensorsBytes({ ["x".repeat(length)]: { shape: [1], data: Float64Array.of(1) } });
      expect(Number(bytes.readBigUInt64LE(0)) % 8).toBe(0);
    }
  });

  it("refuses elements that do not fit the shape", () => {
    expect(() => safetensorsBytes({ w: { shape: [2, 2], data: new Float32Array(3) } })).toThrow(
      "safetensorsBytes: w has 3 elements, expected 4 for shape [2, 2]",
    );
  });
});

describe("writeWhole", () => {
  it("replaces the content and leaves nothing beside it", async () => {
    await writeWhole(path("whole.txt"), "first, and longer");
    await writeWhole(path("whole.txt"), "second");
    expect(readFileSync(path("whole.txt"), "utf8")).toBe("second");
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("leaves the old content where the new one cannot be written", async () => {
    await writeWhole(path("kept.txt"), "kept");
    const failing = { toString: () => "" } as unknown as string;
    await expect(writeWhole(path("kept.txt"), failing)).rejects.toThrow(/type/);
    expect(readFileSync(path("kept.txt"), "utf8")).toBe("kept");
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
