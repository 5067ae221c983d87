import { expect, it } from "vitest";
import { LARGEST_GROWTH, soak } from "../testing/soak.ts";
import { createGpuBackend } from "./index.ts";

it("300 calls with 15 changes of shape do not grow", async () => {
  const backend = await createGpuBackend({ mode: "webasm", threads: false });
  expect(await soak(backend, 300, 20)).toBeLessThan(LARGEST_GROWTH);
  backend.destroy();
});
