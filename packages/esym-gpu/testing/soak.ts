/**
 * Many calls on one backend: neither memory nor gpu.js's lists of kernels may grow with their number.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { GpuBackend } from "../src/index.ts";
import { lossOn } from "./reference-loss.ts";

/** Bytes, whatever the number of calls: what compiled code and statistics of the engine still add. */
export const LARGEST_GROWTH: number = 4 * 2 ** 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of array buffers and of the heap in use, after collection. */
async function memory(): Promise<number> {
  // Finalizers of one collection free what the next one finds.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/**
 * Nine shapes in turns, more than the cache keeps: programs are compiled, dropped and compiled again.
 *
 * @returns by how many bytes the memory in use has grown.
 */
export async function soak(backend: GpuBackend, calls: number, compileEvery: number): Promise<number> {
  const shapes = Array.from({ length: 9 }, (_, s) => ({ batch: 1 + (s % 3), n: 16 + 4 * s, k: 1 + (s % 4) }));
  const call = async (at: number): Promise<void> => {
    const { batch, n, k } = shapes[Math.floor(at / compileEvery) % shapes.length];
    const scores = Array.from({ length: batch }, (_, b) => Array.from({ length: n }, (__, i) => Math.sin(at + b + i)));
    await lossOn(backend, scores, new Int32Array(batch), { k });
  };
  // Every shape once, and gpu.js's own caches filled.
  for (let at = 0; at < shapes.length; at++) await call(at * compileEvery);
  const before = await memory();
  for (let at = 0; at < calls; at++) await call(at);
  return (await memory()) - before;
}
