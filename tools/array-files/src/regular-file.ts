/**
 * Opens what can be read at any place and has an end: a regular file. A pipe would hang, a device never end.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { BadInput, systemReason } from "./bad-input.ts";

export interface RegularFile {
  readonly file: FileHandle;
  readonly size: number;
}

/** @throws BadInput naming the path: what is wrong with it, or that it is no regular file. */
export async function openRegular(path: string): Promise<RegularFile> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes waits for ever, and no signal ends it.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await file.stat();
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    if (!stat.isFile()) throw new BadInput(`${path}: is a pipe or a device, expected a file (- is standard input)`);
    return { file, size: stat.size };
  } catch (error) {
    await file?.close().catch(() => {});
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${path}: ${systemReason(error)}`);
  }
}
