/**
 * A worker thread of `smooth-topk eval`: blocks in, results out.
 */
import { parentPort, workerData } from "node:worker_threads";
import { BadInput } from "@smooth-topk/array-files";
import type { Answer } from "./block-pool.ts";
import type { BlockSettings, ScoreBlock } from "./block-types.ts";
import { evaluateBlock } from "./score-block.ts";

const settings = workerData as BlockSettings;

async function answer(block: ScoreBlock): Promise<void> {
  try {
    const result = await evaluateBlock(settings, block, null);
    const memory = block.scores.buffer as ArrayBuffer;
    const moved = [memory, ...result.losses.map(({ buffer }) => buffer as ArrayBuffer)];
    if (result.grad !== null) moved.push(result.grad.buffer as ArrayBuffer);
    parentPort?.postMessage({ result, memory } satisfies Answer, moved);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ error: message, isBadInput: error instanceof BadInput } satisfies Answer, []);
  }
}

parentPort?.on("message", (block: ScoreBlock) => void answer(block));
