/**
 * WebAssembly on several threads, which gpu.js starts for kernels of more than 4096 results; the properties' own batches are
 * smaller.
 */
import { describe, expect, it } from "vitest";
import { createGpuBackend } from "../src/index.ts";
import { lossOn, referenceLoss } from "./reference-loss.ts";

const BATCH = 20;
const N = 1000;

/** @param processors  gpu.js starts no threads on a single one: the tests are then skipped, with a line that says so. */
export function describeThreads(processors: number): void {
  if (processors < 2) console.log("skipped: WebAssembly on several threads: this machine has one processor");
  describe.skipIf(processors < 2)("webasm on several threads", () => {
    it.each([
      [5, 1],
      [20, 0.1],
      [60, 0.05],
    ])("computes the loss of k = %d, tau = %d as one thread does, to the last bit", async (k, tau) => {
      const scores = Array.from({ length: BATCH }, (_, b) =>
        Array.from({ length: N }, (__, i) => Math.fround(5 * Math.sin(b + 7 * i))),
      );
      const labels = scores.map((_, b) => (37 * b) % N);
      const [many, one] = await Promise.all(
        [true, false].map((threads) => createGpuBackend({ mode: "webasm", threads })),
      );
      const actual = await lossOn(many, scores, labels, { k, tau });
      const expected = await lossOn(one, scores, labels, { k, tau });
      expect([many.executor, one.executor]).toEqual(["fused-threaded", "fused-sync"]);
      expect(actual.loss).toEqual(expected.loss);
      expect(actual.grad.data).toEqual(expected.grad.data);
      // The last row too is its own: within the contract of the reference's.
      const { loss } = referenceLoss(scores[BATCH - 1], labels[BATCH - 1], k, tau, 1);
      expect(Math.abs(actual.loss[BATCH - 1] - loss)).toBeLessThanOrEqual(1e-5 * loss);
      many.destroy();
      one.destroy();
    });
  });
}
