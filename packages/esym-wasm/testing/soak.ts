/**
 * Many calls of changing shapes on one backend: neither its memory nor the engine's may grow with their number.
 */
import type { WasmBackend } from "../src/index.ts";

const SHAPES = Array.from({ length: 9 }, (_, s) => ({ batch: 1 + (s % 3), n: 16 + 40 * s, k: 1 + (s % 4) * 3 }));

/** Makes `calls` calls; @returns by how many bytes the backend's memory has grown since every shape was seen once. */
export function soak(backend: WasmBackend, calls: number): number {
  const batches = SHAPES.map(({ batch, n, k }) => ({
    k,
    labels: new Int32Array(batch),
    x: Array.from({ length: batch }, (_, b) => Array.from({ length: n }, (__, i) => 5 * Math.sin(i * i + b))),
  }));
  const call = (at: number): void => {
    const { x, k, labels } = batches[at % batches.length];
    const kind = Math.floor(at / batches.length) % 4;
    if (kind === 0) backend.sync.logEspRatio(x, k, { leftOut: labels, rowWeight: () => 0.5 });
    else if (kind === 1) backend.sync.inclusionProbabilities(x, k);
    else if (kind === 2) backend.sync.logEsp(x, k);
    else backend.sync.logEspHvp(x, k, x);
    if (at % 50 === 0) backend.allocate(1 + (at % 3), 1 + (at % 700)).free();
  };
  for (let at = 0; at < 4 * batches.length; at++) call(at);
  const before = backend.memoryBytes;
  for (let at = 0; at < calls; at++) call(at);
  return backend.memoryBytes - before;
}
