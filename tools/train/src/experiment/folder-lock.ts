/**
 * One process at a time writes into an experiment's folder. A lock that a killed process left is taken over.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput } from "@smooth-topk/array-files";

/** @returns what releases the lock. @throws BadInput if another process holds it. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, "lock");
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(read(path));
    if (holder !== process.pid && isAlive(holder)) {
      throw new BadInput(
        `--out: ${folder}: process ${holder} is writing there; wait for it, or remove ${path} if it is none of yours`,
      );
    }
    rmSync(path, { force: true });
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
