import { describe, expect, it } from "vitest";
import { LARGEST_GROWTH, soak } from "../testing/soak.ts";
import { createGpuBackend } from "./index.ts";

describe.each(["cpu", "webasm"] as const)("%s", (mode) => {
  it("10,000 calls with 100 changes of shape do not grow", async () => {
    const backend = await createGpuBackend({ mode });
    expect(await soak(backend, 10_000, 100)).toBeLessThan(LARGEST_GROWTH);
    backend.destroy();
  });
});
