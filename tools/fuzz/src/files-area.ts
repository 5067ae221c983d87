/**
 * Damaged files: each is read to the end or refused as bad input, within a second and without a great allocation.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadInput, openArray, safetensorsBytes } from "@smooth-topk/array-files";
import type { Area, Family, Judged, Random } from "./area.ts";
import { corrupted } from "./corruption.ts";
import { withoutParts } from "./shrink.ts";

export interface FileCase {
  readonly type: string;
  readonly bytes: readonly number[];
}

/** Milliseconds, and bytes beside those of the file. */
const LONGEST = 1000;
const MOST_MEMORY = 64 * 2 ** 20;

function npy(random: Random): Uint8Array {
  const [rows, columns] = [random.integer(0, 4), random.integer(1, 5)];
  const type = random.pick(["<f8", "<f4", ">f8", "<i4", "|u1"]);
  const text = `{'descr': '${type}', 'fortran_order': ${random.pick(["False", "True"])}, 'shape': (${rows}, ${columns}), }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, "latin1");
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([prefix, header, Buffer.alloc(rows * columns * Number(type[2]), 1)]);
}

function csv(random: Random): Uint8Array {
  const columns = random.integer(1, 5);
  const line = (cell: () => string): string => Array.from({ length: columns }, cell).join(random.pick([",", ", "]));
  const rows = Array.from({ length: random.integer(1, 5) }, () => line(() => String(random.normal())));
  return Buffer.from([line(() => random.pick(["a", '"b"', "c d"])), ...rows].join(random.pick(["\n", "\r\n"])));
}

function safetensors(random: Random): Uint8Array {
  const shape = [random.integer(1, 3), random.integer(1, 4)];
  const data = Float64Array.from({ length: shape[0] * shape[1] }, () => random.normal());
  return safetensorsBytes({ s: { shape, data } });
}

const kinds: readonly (readonly [string, (random: Random) => Uint8Array])[] = [
  ["npy", npy],
  ["csv", csv],
  ["safetensors", safetensors],
];

const families: readonly Family<FileCase>[] = kinds.flatMap(([type, whole]) => [
  { name: `damaged .${type}`, draw: (random) => ({ type, bytes: [...corrupted(whole(random), random)] }) },
  {
    name: `noise named .${type}`,
    draw: (random) => ({
      type,
      bytes: Array.from({ length: random.integer(0, 300) }, () => random.integer(0, 255)),
    }),
  },
]);

async function readAll(path: string): Promise<void> {
  const source = await openArray(path);
  try {
    for await (const block of source.blocks(2)) if (block.length > 1e6) throw new Error("a block of a million numbers");
  } finally {
    await source.close();
  }
}

export function filesArea(): Area<FileCase> {
  const folder = mkdtempSync(join(tmpdir(), "smooth-topk-fuzz-"));
  return {
    families,
    close: () => rmSync(folder, { recursive: true }),
    judge: async ({ type, bytes }): Promise<Judged> => {
      const path = join(folder, `damaged.${type}`);
      writeFileSync(path, Uint8Array.from(bytes));
      const began = performance.now();
      const memory = process.memoryUsage().arrayBuffers;
      try {
        await readAll(type === "safetensors" ? `${path}:s` : path);
      } catch (error) {
        if (!(error instanceof BadInput)) return { used: Infinity, reason: `thrown: ${String(error)}` };
        if (error.message.includes("\n")) return { used: Infinity, reason: `more than one line: ${error.message}` };
      }
      const time = (performance.now() - began) / LONGEST;
      const grown = (process.memoryUsage().arrayBuffers - memory) / MOST_MEMORY;
      return { used: Math.max(time, grown), reason: `${time.toFixed(1)} s, ${grown.toFixed(1)} times 64 MiB` };
    },
    *simpler(example) {
      for (const bytes of withoutParts(example.bytes)) yield { ...example, bytes };
    },
  };
}
