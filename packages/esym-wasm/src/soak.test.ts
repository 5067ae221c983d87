import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { soak } from "../testing/soak.ts";
import { createWasmBackend } from "./index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes, whatever the number of calls: what compiled code and statistics of the engine still add. */
const LARGEST_GROWTH = 4 * 2 ** 20;

function memory(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it.each(["float32", "float64"] as const)("100,000 calls of changing shapes do not grow, %s", async (dtype) => {
  const backend = await createWasmBackend({ dtype });
  soak(backend, 2000);
  const before = memory();
  expect(soak(backend, 100_000)).toBe(0);
  expect(memory() - before).toBeLessThan(LARGEST_GROWTH);
  backend.destroy();
});
