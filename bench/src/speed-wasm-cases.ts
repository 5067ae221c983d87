/** Batches that the WebAssembly backend is timed on. */
export const WASM_CASES = [
  { batch: 256, n: 1000, k: 5 },
  { batch: 256, n: 1000, k: 50 },
  { batch: 16, n: 10_000, k: 5 },
  { batch: 16, n: 10_000, k: 50 },
  { batch: 4, n: 100_000, k: 200 },
] as const;
