/**
 * What one call allocates, seen from a process of its own that has done nothing else of that size.
 */
import { smoothTopkLoss, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { scoreMatrix } from "./score-batch.ts";
import { seeded } from "./score-families.ts";

/** Bytes by which one call has grown what the process holds. */
export interface MemoryGrowth {
  readonly pass: Pass;
  readonly batch: number;
  readonly n: number;
  readonly k: number;
  /** Array buffers, counted right after the call. */
  readonly arrayBuffers: number;
  /** Objects on the heap, counted right after the call: code, and what does not grow with n. */
  readonly heap: number;
  /** The peak of the resident set during the call. */
  readonly resident: number;
}

type Pass = "forward" | "forward and gradient";

export interface MemoryCase {
  readonly pass: Pass;
  readonly batch: number;
  readonly n: number;
  readonly k: number;
}

export const MEMORY_CASES: readonly MemoryCase[] = [
  ...[10_000, 100_000, 1_000_000].flatMap((n) => [
    { pass: "forward" as const, batch: 1, n, k: 5 },
    { pass: "forward and gradient" as const, batch: 1, n, k: 5 },
  ]),
  { pass: "forward", batch: 8, n: 1_000_000, k: 5 },
  { pass: "forward and gradient", batch: 8, n: 1_000_000, k: 5 },
  { pass: "forward", batch: 1, n: 1_000_000, k: 50 },
  { pass: "forward and gradient", batch: 1, n: 1_000_000, k: 50 },
];

/** Measures one case; the process must have been started with --expose-gc. The gradient goes to the caller's memory. */
export function memoryGrowth({ pass, batch, n, k }: MemoryCase): MemoryGrowth {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("memoryGrowth: start the process with --expose-gc");
  const call = (rows: number, classes: number): (() => void) => {
    const random = seeded(classes);
    const data = new Float64Array(rows * classes);
    for (let i = 0; i < data.length; i++) data[i] = 6 * random() - 3;
    const scores = scoreMatrix(data, rows);
    const labels = new Int32Array(rows);
    const out = { loss: new Float64Array(rows), grad: new Float64Array(rows * classes).fill(1) };
    return pass === "forward"
      ? () => void smoothTopkLoss(scores, labels, { k })
      : () => void smoothTopkLossValueAndGrad(scores, labels, { k, out });
  };
  // Code is loaded and compiled by small calls first.
  for (const classes of [100, 1000, 100, 2000]) {
    const small = call(2, classes);
    for (let round = 0; round < 1000; round++) small();
  }
  const run = call(batch, n);
  gc();
  gc();
  const before = process.memoryUsage();
  const peakBefore = process.resourceUsage().maxRSS;
  run();
  const after = process.memoryUsage();
  const peakAfter = process.resourceUsage().maxRSS;
  return {
    pass,
    batch,
    n,
    k,
    arrayBuffers: after.arrayBuffers - before.arrayBuffers,
    heap: Math.max(0, after.heapUsed - before.heapUsed),
    resident: (peakAfter - peakBefore) * 1024,
  };
}
