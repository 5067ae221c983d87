/**
 * Files appear whole or not at all: written beside their target and renamed onto it. What a signal interrupts is removed.
 */
import { rmSync } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive } from "./process-alive.ts";

/** Files not yet renamed. */
const unfinished = new Set<string>();

/** Where a file is written before it replaces its target. */
export function temporaryFor(target: string): string {
  return `${target}.${process.pid}.part`;
}

/** Removes what killed processes have left beside a target. */
export async function removeLeftOvers(target: string): Promise<void> {
  const folder = dirname(target);
  const start = `${basename(target)}.`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const pid = name.startsWith(start) ? /^(\d+)\.part$/.exec(name.slice(start.length))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

export function markUnfinished(path: string): void {
  unfinished.add(path);
}

/** Renames a file onto its target. */
export async function finish(temporary: string, target: string): Promise<void> {
  await rename(temporary, target);
  unfinished.delete(temporary);
}

export function abandon(temporary: string): void {
  rmSync(temporary, { force: true });
  unfinished.delete(temporary);
}

/** Removes every file that was begun and is not finished: for exits and signals. */
export function removeUnfinished(): void {
  for (const path of unfinished) abandon(path);
}

/**
 * Replaces a file by new content, or leaves it as it was: a crash, a full disk or a signal never leaves half of it.
 *
 * @throws the system's error, after the half-written file is removed.
 */
export async function writeWhole(target: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryFor(target);
  await removeLeftOvers(target);
  markUnfinished(temporary);
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(content);
      // The rename must not reach the disk before the content does.
      await file.sync();
    } finally {
      await file.close();
    }
    await finish(temporary, target);
  } catch (error) {
    abandon(temporary);
    throw error;
  }
}
