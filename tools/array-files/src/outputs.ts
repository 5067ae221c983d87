/**
 * Files that a command will write: checked together, before anything is computed.
 *
 * No command writes over what it reads, nor over what exists unless it is told to, and what a name points to stays what
 * it is: a link stays a link, and a device is no file.
 */
import { lstat, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BadInput, systemReason } from "./bad-input.ts";

export interface Output {
  /** The option that named it. */
  readonly flag: string;
  readonly path: string;
}

interface Place {
  readonly output: Output;
  /** The path without links. */
  readonly real: string;
  /** What is there. */
  readonly identity: string | null;
}

/**
 * @param inputs  paths that are read.
 * @returns where each output is to be written, without links.
 * @throws BadInput naming the option and the path.
 */
export async function checkOutputs(
  outputs: readonly Output[],
  inputs: readonly string[],
  force: boolean,
): Promise<string[]> {
  const read = new Set<string>();
  for (const path of inputs) {
    const found = await stat(path).catch(() => null);
    if (found !== null) read.add(`${found.dev}:${found.ino}`);
  }
  const places: Place[] = [];
  for (const output of outputs) {
    const place = await placeOf(output);
    const refuse = (what: string): never => {
      throw new BadInput(`${output.flag}: ${output.path}: ${what}`);
    };
    if (place.identity !== null && read.has(place.identity)) refuse("is a file that is read, name another");
    if (place.identity !== null && !force) refuse("exists already: name another file, or replace it by --force");
    const same = places.find(({ real }) => real === place.real);
    if (same !== undefined) refuse(`is the file of ${same.output.flag} too, name another`);
    places.push(place);
  }
  return places.map(({ real }) => real);
}

async function placeOf(output: Output): Promise<Place> {
  const { flag, path } = output;
  try {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (found === null) return { output, real: join(await realFolder(output), basename(path)), identity: null };
    if (found.isDirectory()) throw new BadInput(`${flag}: ${path}: is a folder, expected a file`);
    if (!found.isFile()) throw new BadInput(`${flag}: ${path}: is a pipe or a device, expected a file`);
    return { output, real: await realpath(path), identity: `${found.dev}:${found.ino}` };
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${flag}: ${path}: ${systemReason(error)}`);
  }
}

async function realFolder({ flag, path }: Output): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => {
    throw new BadInput(`${flag}: ${path}: no such folder`);
  });
  // Writing would replace the link, and not what it stands for.
  if ((await lstat(path).catch(() => null)) !== null) {
    throw new BadInput(`${flag}: ${path}: is a link to a file that is not there`);
  }
  return folder;
}
