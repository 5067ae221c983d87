/** The package in a browser: its tests again, and in a worker. */
import "./hard-rows.property.test.ts";
import "./wasm-backend.test.ts";
import { cpuBackend } from "@smooth-topk/esym";
import { expect, it } from "vitest";

const X = [3, 2, 1, 0];

it("computes in a worker", async () => {
  const worker = new Worker(new URL("../testing/in-worker.ts", import.meta.url), { type: "module" });
  const found = await new Promise<number[]>((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => resolve(data as number[]));
    worker.addEventListener("error", ({ message }) => reject(new Error(message)));
  });
  worker.terminate();
  const { value, grad } = cpuBackend.sync.logEspRatio(X, 2);
  expect(found.length).toBe(5);
  for (const [i, expected] of [value.get(0), ...grad.data].entries()) expect(found[i]).toBeCloseTo(expected, 14);
});
