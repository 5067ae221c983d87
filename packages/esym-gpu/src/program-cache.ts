/**
 * The compiled programs of a backend by task and sizes: a training loop compiles once. The one used longest ago goes when
 * there are more than a few, since each holds device memory, and on WebAssembly its threads.
 */
import type { Device } from "./device.ts";
import { divisionProgram } from "./division-program.ts";
import { divisionShape, HIGHEST_DIVIDED } from "./division-shape.ts";
import type { RowArguments, RowProgram, Task } from "./row-program.ts";
import { treeProgram } from "./tree-program.ts";
import { treeShape } from "./tree-shape.ts";

const MOST_PROGRAMS = 8;

export interface Compiled {
  readonly program: RowProgram;
  /** Two, because one block is prepared while the other is read. */
  readonly args: readonly [RowArguments, RowArguments];
}

export interface ProgramCache {
  readonly device: Device;
  /** How gpu.js ran the last program. */
  executor: string | null;
  /** Rows so far that were left to the reference on the host. */
  rowsOnHost: number;
  /**
   * @param crowded  true: of the programs for small orders the one with the larger group, from now on. Until asked for, and
   *                 where the host computes the exponentials, it is the one with the smaller.
   */
  get(task: Task, rows: number, n: number, k: number, crowded: boolean): Promise<Compiled>;
  /** Forgets a program that failed: the next run compiles it again. */
  drop(compiled: Compiled): Promise<void>;
  clear(): Promise<void>;
}

/** Only exponentials tell that a row is not crowded. */
function compile(device: Device, task: Task, rows: number, n: number, k: number, crowded: boolean): Compiled {
  const program =
    k <= HIGHEST_DIVIDED
      ? divisionProgram(device, divisionShape(rows, n, k, crowded), task)
      : treeProgram(device, treeShape(rows, n, k), task);
  const { width, group } = program;
  const args = (): RowArguments => ({
    x: new Float32Array(rows * width),
    group: new Float32Array(rows * group),
    classes: new Int32Array(rows * group),
  });
  return { program, args: [args(), args()] };
}

export function programCache(device: Device): ProgramCache {
  // A Map keeps insertion order: the first key is the one used longest ago.
  const programs = new Map<string, Compiled>();
  const crowdedSizes = new Set<string>();
  return {
    device,
    executor: null,
    rowsOnHost: 0,
    async get(task, rows, n, k, crowded) {
      const sizes = `${task} ${rows} ${n} ${k}`;
      if (crowded) crowdedSizes.add(sizes);
      const large = device.exponentials === "device" || crowdedSizes.has(sizes);
      const key = `${sizes} ${large && k <= HIGHEST_DIVIDED}`;
      let found = programs.get(key);
      programs.delete(key);
      if (found === undefined) {
        const [oldest] = programs;
        if (programs.size >= MOST_PROGRAMS) {
          programs.delete(oldest[0]);
          crowdedSizes.delete(oldest[0].replace(/ true$/, ""));
          await oldest[1].program.destroy();
        }
        found = compile(device, task, rows, n, k, large);
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
