import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { npyFile, safetensorsFile, type WrittenType } from "../testing/array-files.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import type { ArraySource } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { openLabels, openScores } from "./open-array.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

async function readAll(source: ArraySource, rowsPerBlock: number): Promise<number[]> {
  const out: number[] = [];
  for await (const block of source.blocks(rowsPerBlock)) out.push(...block);
  await source.close();
  return out;
}

const floats: WrittenType[] = ["float16", "float32", "float64"];
const integers: WrittenType[] = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"];
/** Values that every float type holds exactly. */
const short = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map((v) => v / 8),
  fc.constant(-Infinity),
);
const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 9 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      values: fc.array(short, { minLength: rows * columns, maxLength: rows * columns }),
    }),
  );
const perBlock = fc.integer({ min: 1, max: 15 });

describe("what was written is what is read, whatever the block size", () => {
  it(".npy scores: every float type, both byte orders, C and Fortran order, versions 1 to 3", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrix,
        perBlock,
        fc.record({
          type: fc.constantFrom(...floats),
          littleEndian: fc.boolean(),
          fortranOrder: fc.boolean(),
          version: fc.constantFrom(1, 2, 3),
        }),
        async ({ rows, columns, values }, blockRows, options) => {
          const file = path("scores.npy");
          writeFileSync(file, npyFile(values, [rows, columns], options));
          const source = await openScores(file);
          expect(source.shape).toEqual([rows, columns]);
          expect(await readAll(source, blockRows)).toEqual(values);
        },
      ),
    );
  });

  it(".npy labels: every integer type and byte order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 127 }), { minLength: 1, maxLength: 20 }),
        perBlock,
        fc.constantFrom(...integers),
        fc.boolean(),
        async (values, blockRows, type, littleEndian) => {
          const file = path("labels.npy");
          writeFileSync(file, npyFile(values, [values.length], { type, littleEndian }));
          expect(await readAll(await openLabels(file), blockRows)).toEqual(values);
        },
      ),
    );
  });

  it(".safetensors: one tensor of several, by name, or the only one", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrix,
        perBlock,
        fc.constantFrom(...floats),
        fc.boolean(),
        async ({ rows, columns, values }, blockRows, type, alone) => {
          const file = path("t.safetensors");
          const logits = { values, shape: [rows, columns], type };
          const other = { values: [1, 2], shape: [2], type: "int64" as const };
          writeFileSync(file, safetensorsFile(alone ? { logits } : { other, logits, last: other }));
          const source = await openScores(alone ? file : `${file}:logits`);
          expect(source.shape).toEqual([rows, columns]);
          expect(await readAll(source, blockRows)).toEqual(values);
        },
      ),
    );
  });

  it(".csv: with and without a heading, either line ending, to the last digit", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })), { minLength: 1, maxLength: 12 }),
        perBlock,
        fc.boolean(),
        fc.constantFrom("\n", "\r\n"),
        async (pairs, blockRows, heading, end) => {
          const file = path("scores.csv");
          const lines = pairs.map(([a, b]) => `${a}, ${b}`);
          writeFileSync(file, [...(heading ? ["cat, dog"] : []), ...lines, ""].join(end));
          const source = await openScores(file);
          expect(source.shape).toEqual([pairs.length, 2]);
          expect(await readAll(source, blockRows)).toEqual(pairs.flat().map((v) => v + 0 || Number(String(v))));
        },
      ),
    );
  });
});

describe("damaged files", () => {
  const pristine: Record<string, Buffer> = {
    "d.npy": npyFile(
      Array.from({ length: 12 }, (_, i) => i / 4),
      [3, 4],
      { type: "float32" },
    ),
    "d.safetensors": safetensorsFile({ a: { values: [1, 2, 3, 4, 5, 6], shape: [3, 2], type: "float64" } }),
  };

  it.each(Object.keys(pristine))("%s cut short anywhere is refused in one line", async (name) => {
    const whole = pristine[name];
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path(name), whole.subarray(0, length));
      const error = await openScores(path(name)).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(BadInput);
      expect((error as Error).message).not.toContain("\n");
    }
  });

  it.each(Object.keys(pristine))(
    "%s with any bytes changed gives numbers or a refusal, never a crash",
    async (name) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
          async (changes) => {
            const bytes = Buffer.from(pristine[name]);
            for (const [at, value] of changes) bytes[at % bytes.length] = value;
            writeFileSync(path(name), bytes);
            try {
              await readAll(await openScores(path(name)), 2);
            } catch (error) {
              expect(error).toBeInstanceOf(BadInput);
            }
          },
        ),
        { numRuns: 500 },
      );
    },
  );
});
