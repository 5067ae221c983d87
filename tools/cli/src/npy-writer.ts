/**
 * Writes a float64 .npy file piece by piece, beside its target, which it replaces only when it is whole.
 */
import { rmSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { endianness } from "node:os";
import { BadInput, systemReason } from "./bad-input.ts";
import { npyHeader } from "./npy.ts";

/** Files not yet renamed: a signal removes them. */
const unfinished = new Set<string>();

export function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
  unfinished.clear();
}

export interface NpyWriter {
  append(values: Float64Array): Promise<void>;
  /** Renames the whole file to its name. */
  finish(): Promise<void>;
  /** Removes what was written. */
  abandon(): Promise<void>;
}

/** @param flag  the option that named the file, for errors. */
export async function createNpy(flag: string, target: string, shape: readonly number[]): Promise<NpyWriter> {
  if (!/\.npy$/i.test(target)) throw new BadInput(`${flag}: ${target}: results are written as .npy only`);
  const temporary = `${target}.${process.pid}.part`;
  let file: FileHandle;
  const failed = (error: unknown): BadInput => new BadInput(`${flag}: ${target}: ${systemReason(error)}`);
  try {
    file = await open(temporary, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new BadInput(`${flag}: ${target}: no such folder`);
    throw failed(error);
  }
  unfinished.add(temporary);
  async function write(bytes: Uint8Array): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
    } catch (error) {
      throw failed(error);
    }
  }
  await write(npyHeader(shape));
  return {
    append: async (values) => {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      await write(endianness() === "LE" ? bytes : Buffer.from(bytes).swap64());
    },
    finish: async () => {
      try {
        await file.close();
        await rename(temporary, target);
      } catch (error) {
        throw failed(error);
      }
      unfinished.delete(temporary);
    },
    abandon: async () => {
      await file.close().catch(() => {});
      rmSync(temporary, { force: true });
      unfinished.delete(temporary);
    },
  };
}
