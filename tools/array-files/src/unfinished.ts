/**
 * Files appear whole or not at all: written beside their target and renamed onto it. What a signal interrupts is removed.
 */
import { rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";

/** Files not yet renamed. */
const unfinished = new Set<string>();

/** Where a file is written before it replaces its target. */
export function temporaryFor(target: string): string {
  return `${target}.${process.pid}.part`;
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
