/**
 * Batches in blocks of rows, so that no array on the device grows beyond what WebGPU and WebGL promise.
 */
import { describe } from "@smooth-topk/esym/kernel";
import { HIGHEST_ORDER } from "./centre.ts";
import type { Compiled, ProgramCache } from "./program-cache.ts";
import type { TreeTask } from "./tree-program.ts";

/** Classes of a block, all rows together: 16 MiB in single precision, in 2048 by 2048 texels where it is a texture. */
const MOST_CLASSES = 2 ** 22;

/** Refuses what no block can hold. */
export function checkSizes(caller: string, n: number, k: number): void {
  if (n > MOST_CLASSES) throw new RangeError(`${caller}: n = ${n} is not supported on a GPU, at most ${MOST_CLASSES}`);
  if (k > HIGHEST_ORDER) {
    throw new RangeError(`${caller}: k = ${describe(k)} is not supported on a GPU, at most ${HIGHEST_ORDER}`);
  }
}

/** One block: rows `from` to `from + rows` of the batch. */
export interface Block {
  readonly from: number;
  readonly rows: number;
  readonly compiled: Compiled;
}

export interface BlockResult {
  /** Coefficient j of the block's row b at full[b * stride + j]. */
  readonly full: Float32Array;
  readonly stride: number;
  /** The derivative at class i of the block's row b, at derivative[b * width + i]. */
  readonly derivative: Float32Array;
  readonly width: number;
}

/**
 * @param fill  writes the arguments of a block.
 * @param take  reads its results.
 */
export async function eachBlock(
  cache: ProgramCache,
  task: TreeTask,
  batch: number,
  n: number,
  k: number,
  fill: (block: Block) => void,
  take: (block: Block, result: BlockResult) => void,
): Promise<void> {
  const most = Math.max(1, Math.floor(MOST_CLASSES / n));
  for (let from = 0; from < batch; from += most) {
    const rows = Math.min(most, batch - from);
    const compiled = await cache.get(task, rows, n, k);
    const block = { from, rows, compiled };
    fill(block);
    const { program, shape, x, margin } = compiled;
    try {
      const { full, derivative } = await program.run(x, task === "loss" ? margin : null);
      cache.executor = program.executor;
      take(block, {
        full,
        stride: program.stride,
        derivative: derivative ?? new Float32Array(0),
        width: shape.width,
      });
    } catch (error) {
      // A lost device, memory refused: nothing of the program is worth keeping.
      await cache.drop(compiled).catch(() => {});
      throw error;
    }
  }
}
