/**
 * What happens where a mode is missing, does not run, or fails on the way.
 */
import { cpuBackend } from "@smooth-topk/esym";
import { GPU } from "gpu.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openDevice, program } from "./device.ts";
import { createGpuBackend, type GpuMode } from "./index.ts";
import { programCache } from "./program-cache.ts";

afterEach(() => vi.restoreAllMocks());

describe("createGpuBackend", () => {
  it("refuses a mode that it does not know", async () => {
    await expect(createGpuBackend({ mode: "opencl" as GpuMode })).rejects.toThrow(
      /^createGpuBackend: mode is "opencl", expected 'webgpu', 'webgl2', 'webasm', 'cpu'$/,
    );
  });

  it("refuses a mode that is not there, and puts nothing in its place", async () => {
    // gpu.js runs WebGL2 in browsers only.
    await expect(createGpuBackend({ mode: "webgl2" })).rejects.toThrow(
      /^createGpuBackend: mode webgl2 is not available here$/,
    );
  });

  it("without a mode takes a GPU or nothing, and says what else there is", async () => {
    vi.spyOn(GPU, "isWebGPUAvailable").mockResolvedValue(false);
    await expect(createGpuBackend()).rejects.toThrow(
      /^createGpuBackend: neither webgpu nor webgl2 runs here.* on processors use @smooth-topk\/esym-wasm/,
    );
  });
});

describe("a program that gpu.js runs on another mode than its own", () => {
  it("is an error that names both, and gpu.js's reason", async () => {
    // A device that claims WebAssembly and has gpu.js's CPU mode, as after a silent fallback.
    const device = { ...(await openDevice("cpu", false, "host")), mode: "webasm" as const };
    const doubled = program<"twice">(device, 1, (make) => {
      const twice = make("function (x) { return x[this.thread.x] * 2; }", [4]);
      return (x) => ({ twice: twice(x) });
    });
    await expect(doubled.run([[Float32Array.of(1, 2, 3, 4), [4]]])).rejects.toThrow(
      /^esym-gpu: mode webasm was asked for, but gpu\.js ran cpu \(generic: .*\)$/,
    );
    await device.gpu.destroy();
  });

  it("computes where the modes agree", async () => {
    const device = await openDevice("webasm", false, "host");
    const doubled = program<"twice">(device, 1, (make) => {
      const twice = make("function (x) { return x[this.thread.x] * 2; }", [4]);
      return (x) => ({ twice: twice(x) });
    });
    expect((await doubled.run([[Float32Array.of(1, 2, 3, 4), [4]]])).twice).toEqual(Float32Array.of(2, 4, 6, 8));
    await doubled.destroy();
    await device.gpu.destroy();
  });
});

describe("a device that fails", () => {
  it("rejects that call with the device's error; the next call compiles anew, and the CPU goes on", async () => {
    const backend = await createGpuBackend({ mode: "webasm", threads: false });
    const x = [0, 0, 0];
    await backend.logEsp(x, 2);
    const { WebAssembly } = globalThis as unknown as { WebAssembly: { Instance: new () => object } };
    const lost = vi.spyOn(WebAssembly, "Instance").mockImplementation(function refuse(): never {
      throw new Error("out of memory");
    });
    // Another shape: its program has to be compiled.
    await expect(backend.logEsp([0, 0, 0, 0], 2)).rejects.toThrow(/out of memory/);
    lost.mockRestore();
    expect((await cpuBackend.logEsp([0, 0, 0, 0], 2)).get(2)).toBeCloseTo(Math.log(6), 12);
    expect((await backend.logEsp([0, 0, 0, 0], 2)).get(2)).toBeCloseTo(Math.log(6), 6);
    backend.destroy();
  });
});

describe("the cache of programs", () => {
  it("compiles a task of one size once, and keeps eight", async () => {
    const device = await openDevice("webasm", false, "host");
    const created = vi.spyOn(device.gpu, "createPipeline");
    const cache = programCache(device);
    const first = await cache.get("ratio", 2, 20, 3, false);
    expect(await cache.get("ratio", 2, 20, 3, false)).toBe(first);
    expect(created).toHaveBeenCalledTimes(1);
    for (let n = 21; n < 28; n++) await cache.get("ratio", 2, n, 3, false);
    expect(await cache.get("ratio", 2, 20, 3, false)).toBe(first);
    // n = 21 is the one used longest ago: it goes.
    await cache.get("ratio", 2, 28, 3, false);
    expect(await cache.get("ratio", 2, 20, 3, false)).toBe(first);
    expect(created).toHaveBeenCalledTimes(9);
    await cache.get("ratio", 2, 21, 3, false);
    expect(created).toHaveBeenCalledTimes(10);
    await cache.clear();
    await device.gpu.destroy();
  });
});
