/**
 * Batches in blocks of rows: the host prepares one while the device computes the one before, and no array on the device
 * grows beyond what WebGPU and WebGL promise.
 */
import { copyRow, type ExponentialScale, type Rows } from "@smooth-topk/esym/kernel";
import { HIGHEST_ORDER } from "./centre.ts";
import type { Device } from "./device.ts";
import type { Compiled, ProgramCache } from "./program-cache.ts";
import { writeRow } from "./row-arguments.ts";
import type { RowArguments, RowResult, Task } from "./row-program.ts";

/** Classes of a block, all rows together: 16 MiB in single precision, in 2048 by 2048 texels where it is a texture. */
const MOST_CLASSES = 2 ** 22;

/** A batch of more classes than this is cut into as many blocks as give each so many, up to four. */
const FEWEST_CLASSES = 2 ** 16;
/** The same on threads, which meet after each kernel: 0.25 ms a block more. */
const FEWEST_ON_THREADS = 2 ** 18;
const BLOCKS = 4;

/** Rows of each block; the last is filled up with empty ones. */
function rowsOfBlock({ mode, threads }: Device, batch: number, n: number): number {
  const fewest = mode === "webasm" && threads ? FEWEST_ON_THREADS : FEWEST_CLASSES;
  const blocks = Math.min(BLOCKS, Math.max(1, Math.floor((batch * n) / fewest)));
  return Math.max(1, Math.min(Math.ceil(batch / blocks), Math.floor(MOST_CLASSES / n)));
}

/** Whether a block can hold a row and the device its coefficients. */
export function fitsDevice(n: number, k: number): boolean {
  return n <= MOST_CLASSES && k <= HIGHEST_ORDER;
}

/** What is done with each row before and after the device. */
export interface RowVisitor {
  /** Changes the row before it is centred. */
  before?(row: Float64Array, b: number): void;
  /** Receives the row's centre, null where fewer than k entries are there. */
  centred(centre: number | null, b: number): void;
  /** Reads row `at` of a block's result. */
  after(result: RowResult, b: number, at: number): void;
  /** Computes the row in double precision: the device's coefficients of it leave the range of single precision. */
  onHost(b: number): void;
}

/**
 * Runs a task over all rows, block by block.
 *
 * @param grad  receives the derivatives, [batch, n]; null for a 'polynomial'.
 */
export async function eachRow(
  cache: ProgramCache,
  task: Task,
  rows: Rows,
  k: number,
  scale: ExponentialScale,
  grad: Float32Array | Float64Array | null,
  visitor: RowVisitor,
): Promise<void> {
  const { batch, n } = rows;
  if (batch === 0) return;
  const count = rowsOfBlock(cache.device, batch, n);
  let compiled = await cache.get(task, count, n, k, false);
  const row = new Float64Array(n);
  const hasSubsets = new Uint8Array(batch);
  const far = new Uint8Array(batch);

  /** False where a row is crowded. */
  function prepare({ program: { width, group } }: Compiled, args: RowArguments, from: number): boolean {
    const { exponentials } = cache.device;
    const writer = { n, k, width, group, scale, exponentials, leaveOut: task === "polynomial" };
    for (let at = 0; at < count; at++) {
      const b = from + at;
      if (b < batch) {
        copyRow(rows, b, row);
        visitor.before?.(row, b);
      } else {
        row.fill(-Infinity);
      }
      const centre = writeRow(writer, args, at, row);
      if (centre === "crowded") return false;
      if (b >= batch) continue;
      hasSubsets[b] = centre === "empty" ? 0 : 1;
      far[b] = centre === "far" ? 1 : 0;
      visitor.centred(typeof centre === "number" ? centre : null, b);
    }
    return true;
  }

  function read(result: RowResult, { program: { width, group } }: Compiled, args: RowArguments, from: number): void {
    const { classes } = args;
    for (let at = 0; at < count && from + at < batch; at++) {
      const b = from + at;
      if (far[b] === 1 || (task !== "polynomial" && hasSubsets[b] === 1 && !result.inRange(at))) {
        visitor.onHost(b);
        continue;
      }
      if (grad !== null) {
        grad.set(result.derivative.subarray(at * width, at * width + n), b * n);
        for (let g = at * group; g < (at + 1) * group && classes[g] >= 0; g++) {
          grad[b * n + classes[g]] = result.groupDerivative[g];
        }
      }
      visitor.after(result, b, at);
    }
  }

  try {
    let waiting: (() => Promise<void>) | null = null;
    for (let from = 0, block = 0; from < batch; from += count, block++) {
      let args = compiled.args[block % 2];
      if (!prepare(compiled, args, from)) {
        compiled = await cache.get(task, count, n, k, true);
        args = compiled.args[block % 2];
        prepare(compiled, args, from);
      }
      const running = compiled.program.run(args);
      // A rejection is seen when its turn comes.
      running.catch(() => {});
      // gpu.js starts it in the next microtask, and threads or a GPU then compute while the next block is prepared.
      await Promise.resolve();
      if (waiting !== null) await waiting();
      const started = compiled;
      waiting = async () => {
        read(await running, started, args, from);
        cache.executor = started.program.executor;
      };
    }
    if (waiting !== null) await waiting();
  } catch (error) {
    // A lost device, memory refused: nothing of the program is worth keeping.
    await cache.drop(compiled).catch(() => {});
    throw error;
  }
}
