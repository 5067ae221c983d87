/**
 * The compiled programs of a backend by task and sizes: a training loop compiles once. The one used longest ago goes when
 * there are more than a few, since each holds device memory, and on WebAssembly its threads.
 */
import type { Device } from "./device.ts";
import { type TreeProgram, treeProgram, type TreeTask } from "./tree-program.ts";
import { type TreeShape, treeShape } from "./tree-shape.ts";

const MOST_PROGRAMS = 8;

export interface Compiled {
  readonly program: TreeProgram;
  readonly shape: TreeShape;
  /** Room for the arguments, filled anew for each run. */
  readonly x: Float32Array;
  readonly margin: Float32Array;
}

export interface ProgramCache {
  /** How gpu.js ran the last program. */
  executor: string | null;
  get(task: TreeTask, rows: number, n: number, k: number): Promise<Compiled>;
  /** Forgets a program that failed: the next run compiles it again. */
  drop(compiled: Compiled): Promise<void>;
  clear(): Promise<void>;
}

export function programCache(device: Device): ProgramCache {
  // A Map keeps insertion order: the first key is the one used longest ago.
  const programs = new Map<string, Compiled>();
  return {
    executor: null,
    async get(task, rows, n, k) {
      const shape = treeShape(rows, n, k);
      const key = `${task} ${rows} ${shape.width} ${k}`;
      let found = programs.get(key);
      programs.delete(key);
      if (found === undefined) {
        const [oldest] = programs;
        if (programs.size >= MOST_PROGRAMS) {
          programs.delete(oldest[0]);
          await oldest[1].program.destroy();
        }
        found = {
          program: treeProgram(device, shape, task),
          shape,
          x: new Float32Array(rows * shape.width),
          margin: new Float32Array(task === "loss" ? 2 * rows : 0),
        };
      }
      programs.set(key, found);
      return found;
    },
    async drop(compiled) {
      for (const [key, program] of programs) if (program === compiled) programs.delete(key);
      await compiled.program.destroy();
    },
    async clear() {
      const all = [...programs.values()];
      programs.clear();
      for (const { program } of all) await program.destroy();
    },
  };
}
