/**
 * Finished runs, one JSON line each, appended and flushed to the disk as they finish: whatever ends the process, at most
 * the run under way is lost.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { BadInput } from "@smooth-topk/array-files";
import type { Accuracy } from "../training/accuracy.ts";
import type { Curves } from "../training/fit.ts";
import type { Candidate, Combination } from "./plan.ts";

export interface Run extends Combination, Candidate {
  readonly id: string;
  readonly validation: Accuracy;
  readonly test: Accuracy;
  readonly curves: Curves;
  readonly diverged: boolean;
  readonly seconds: number;
  /** Of this software, where it is known. */
  readonly commit: string | null;
}

export interface Journal {
  readonly runs: ReadonlyMap<string, Run>;
  append(run: Run): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a journal, a new one if there is none. A last line without its end, which a killed process leaves, is cut off.
 *
 * @throws BadInput naming the line, if one before the last is damaged.
 */
export async function openJournal(path: string): Promise<Journal> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  });
  const end = bytes.lastIndexOf("\n") + 1;
  const runs = new Map<string, Run>();
  const lines = bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
  for (const [i, line] of lines.entries()) {
    let run;
    try {
      run = JSON.parse(line) as Run;
    } catch {
      throw new BadInput(`${path}: line ${i + 1} is damaged: remove it, and its run is repeated`);
    }
    runs.set(run.id, run);
  }
  const file: FileHandle = await open(path, "a");
  if (end < bytes.length) await file.truncate(end);
  return {
    runs,
    append: async (run) => {
      await file.appendFile(`${JSON.stringify(run)}\n`);
      await file.datasync();
      runs.set(run.id, run);
    },
    close: () => file.close(),
  };
}
