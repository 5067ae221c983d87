/**
 * Threads over the rows of a batch, on one shared memory: chunks of rows are claimed one at a time, by the calling thread too,
 * so that a worker which is late or busy costs nothing but its share.
 *
 * A chunk can be claimed only after its job is written (the write precedes the atomic store that opens the job), and no job is
 * written while a claimed chunk is not done: what a worker reads of a chunk that it has claimed is that chunk's job, however
 * late it comes.
 */
import type { Kernels } from "./kernels.ts";
import { platform, type WasmMemory, type WasmModule } from "./platform.ts";
import { WORKER_TEXT } from "./worker-text.ts";

/** Control words, 32 bits each, at the beginning of the memory. */
const words = {
  /** Counts jobs; workers sleep on it. */
  GENERATION: 0,
  /** Chunks of the job that are not claimed yet, 0 or less while there is none: one store opens a job. */
  LEFT: 1,
  DONE: 2,
  FAILED: 3,
  BAD_ROW: 4,
  /** The generation that ends the workers. */
  STOPPED: -1,
  WORDS: 8,
} as const;

/** Chunks of a job per thread: small enough to even out the threads' speeds. */
const CHUNKS_PER_THREAD = 8;
/** Milliseconds in which a worker has to be ready. */
const START_LIMIT = 10_000;

/** What is used of a worker, in Node or in a browser. */
interface Worker {
  post(message: unknown): void;
  terminate(): void;
}

export interface RowThreads {
  /** How many compute, the calling one included. */
  readonly count: number;
  /** Rows that are claimed at a time of a batch. */
  rowsPerChunk(batch: number): number;
  /**
   * Runs the job that has been written.
   *
   * @returns a row that holds NaN or +Infinity, or -1.
   */
  run(chunks: number): number;
  stop(): void;
}

/** The calling thread alone: the whole batch is one chunk. */
export function singleThread(kernels: Kernels): RowThreads {
  return {
    count: 1,
    rowsPerChunk: (batch) => batch,
    run: () => kernels.runJob(0, 0),
    stop: () => {},
  };
}

/** Whether memory can be shared here: in Node, and on pages that are isolated from other origins. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer === "function" && platform.crossOriginIsolated !== false;
}

/**
 * Starts `count - 1` workers; fewer where they cannot be started (a Content-Security-Policy without `worker-src blob:`).
 *
 * @param module  compiled for shared memory.
 */
export async function startThreads(
  kernels: Kernels,
  module: WasmModule,
  memory: WasmMemory,
  count: number,
): Promise<RowThreads> {
  const started = await Promise.all(
    Array.from({ length: count - 1 }, (_, w) =>
      startWorker({ module, memory, thread: w + 1, words }).catch(() => null),
    ),
  );
  const workers = started.filter((worker) => worker !== null);
  const control = new Int32Array(memory.buffer, 0, words.WORDS);
  const threads = workers.length + 1;
  return {
    count: threads,
    rowsPerChunk: (batch) => Math.max(1, Math.ceil(batch / (threads * CHUNKS_PER_THREAD))),
    run: (chunks) => runShared(kernels, control, chunks),
    stop() {
      Atomics.store(control, words.GENERATION, words.STOPPED);
      Atomics.notify(control, words.GENERATION);
      for (const worker of workers) worker.terminate();
    },
  };
}

function runShared(kernels: Kernels, control: Int32Array, chunks: number): number {
  Atomics.store(control, words.DONE, 0);
  Atomics.store(control, words.FAILED, 0);
  Atomics.store(control, words.BAD_ROW, -1);
  Atomics.store(control, words.LEFT, chunks);
  Atomics.store(control, words.GENERATION, (Atomics.load(control, words.GENERATION) + 1) & 0x7fffffff);
  Atomics.notify(control, words.GENERATION);
  for (;;) {
    const chunk = Atomics.sub(control, words.LEFT, 1) - 1;
    if (chunk < 0) break;
    try {
      const bad = kernels.runJob(chunk, 0);
      if (bad >= 0) Atomics.store(control, words.BAD_ROW, bad);
    } catch {
      Atomics.store(control, words.FAILED, 1);
    }
    Atomics.add(control, words.DONE, 1);
  }
  // What is left are the chunks that others have begun. A page's own thread may not sleep, and need not: it is a chunk's time.
  while (Atomics.load(control, words.DONE) < chunks);
  if (Atomics.load(control, words.FAILED) !== 0) throw new Error("esym-wasm: a kernel failed");
  return Atomics.load(control, words.BAD_ROW);
}

/** A worker that has answered that it is ready. */
async function startWorker(message: unknown): Promise<Worker> {
  let fail: (error: unknown) => void = () => {};
  let ready: () => void = () => {};
  const answered = new Promise<void>((resolve, reject) => {
    ready = resolve;
    fail = reject;
  });
  const worker = openWorker(ready, fail);
  const limit = setTimeout(() => fail(new Error("the worker did not answer")), START_LIMIT);
  try {
    worker.post(message);
    await answered;
    return worker;
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

function openWorker(ready: () => void, fail: (error: unknown) => void): Worker {
  const node = platform.process?.getBuiltinModule?.("node:worker_threads");
  if (node !== undefined) {
    const worker = new node.Worker(WORKER_TEXT, { eval: true });
    worker.on("message", ready);
    worker.on("error", fail);
    worker.unref();
    return { post: (message) => worker.postMessage(message, []), terminate: () => void worker.terminate() };
  }
  const address = URL.createObjectURL(new Blob([WORKER_TEXT], { type: "text/javascript" }));
  const worker = new platform.Worker(address);
  worker.addEventListener("message", ready);
  worker.addEventListener("error", fail);
  return {
    post: (message) => worker.postMessage(message, []),
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(address);
    },
  };
}
