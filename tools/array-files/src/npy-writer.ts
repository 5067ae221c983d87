/**
 * Writes a float64 .npy file piece by piece, beside its target, which it replaces only when it is whole.
 */
import { type FileHandle, open } from "node:fs/promises";
import { endianness } from "node:os";
import { BadInput, systemReason } from "./bad-input.ts";
import { npyHeader } from "./npy.ts";
import { abandon, finish, markUnfinished, removeLeftOvers, temporaryFor } from "./unfinished.ts";

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
  const temporary = temporaryFor(target);
  await removeLeftOvers(target);
  let file: FileHandle;
  const failed = (error: unknown): BadInput => new BadInput(`${flag}: ${target}: ${systemReason(error)}`);
  try {
    file = await open(temporary, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new BadInput(`${flag}: ${target}: no such folder`);
    throw failed(error);
  }
  markUnfinished(temporary);
  async function write(bytes: Uint8Array): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
    } catch (error) {
      throw failed(error);
    }
  }
  try {
    await write(npyHeader(shape));
  } catch (error) {
    await file.close().catch(() => {});
    abandon(temporary);
    throw error;
  }
  return {
    append: async (values) => {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      await write(endianness() === "LE" ? bytes : Buffer.from(bytes).swap64());
    },
    finish: async () => {
      try {
        await file.close();
        await finish(temporary, target);
      } catch (error) {
        throw failed(error);
      }
    },
    abandon: async () => {
      await file.close().catch(() => {});
      abandon(temporary);
    },
  };
}
