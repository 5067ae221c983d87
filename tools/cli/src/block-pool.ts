/**
 * Where blocks are evaluated: here, one after the other, or on worker threads, several at a time. The results are the same
 * to the last bit.
 */
import { Worker } from "node:worker_threads";
import { BadInput } from "@smooth-topk/array-files";
import type { Backend } from "./backends.ts";
import type { BlockResult, BlockSettings, ScoreBlock } from "./block-types.ts";
import { evaluateBlock } from "./score-block.ts";

export interface BlockPool {
  /** How many blocks are worked on at a time. */
  readonly size: number;
  /** Takes the block's memory and gives the scores' back to `spare` when it is done. */
  evaluate(block: ScoreBlock): Promise<BlockResult>;
  close(): Promise<void>;
}

/** What a worker answers. */
export type Answer =
  | { readonly result: BlockResult; readonly memory: ArrayBuffer }
  | { readonly error: string; readonly isBadInput: boolean };

/** In this thread. @param spare  receives the memory of blocks that are done. */
export function poolHere(settings: BlockSettings, backend: Backend | null, spare: ArrayBuffer[]): BlockPool {
  return {
    size: 1,
    evaluate: async (block) => {
      const result = await evaluateBlock(settings, block, backend);
      spare.push(block.scores.buffer as ArrayBuffer);
      return result;
    },
    close: async () => {},
  };
}

interface Seat {
  readonly worker: Worker;
  settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null;
}

/** On `threads` worker threads. */
export function poolOfThreads(settings: BlockSettings, threads: number, spare: ArrayBuffer[]): BlockPool {
  const free: Seat[] = [];
  const waiting: ((seat: Seat) => void)[] = [];
  const release = (seat: Seat): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(seat);
    else next(seat);
  };
  const seats = Array.from({ length: threads }, (): Seat => {
    // Not with the options of this process: some, such as --input-type, are not a worker's.
    const worker = new Worker(new URL("./block-worker.js", import.meta.url), { workerData: settings, execArgv: [] });
    const seat: Seat = { worker, settle: null };
    worker.on("message", (answer: Answer) => {
      const { settle } = seat;
      seat.settle = null;
      release(seat);
      settle?.resolve(answer);
    });
    worker.on("error", (error) => seat.settle?.reject(error));
    return seat;
  });
  free.push(...seats);

  async function evaluate(block: ScoreBlock): Promise<BlockResult> {
    const seat =
      free.pop() ??
      (await new Promise<Seat>((resolve) => {
        waiting.push(resolve);
      }));
    const answer = await new Promise<Answer>((resolve, reject) => {
      seat.settle = { resolve, reject };
      seat.worker.postMessage(block, [block.scores.buffer as ArrayBuffer]);
    });
    if ("error" in answer) throw answer.isBadInput ? new BadInput(answer.error) : new RangeError(answer.error);
    spare.push(answer.memory);
    return answer.result;
  }

  return {
    size: threads,
    evaluate,
    close: async () => {
      await Promise.all(seats.map(({ worker }) => worker.terminate()));
    },
  };
}
