import type { EspBackend } from "@smooth-topk/esym";
import { expectTypeOf, it } from "vitest";
import { createGpuBackend, GPU_MODES, type GpuBackend, type GpuMode } from "./index.ts";

it("a GPU backend is a backend, and its name is a mode", () => {
  expectTypeOf<GpuBackend>().toExtend<EspBackend>();
  expectTypeOf<GpuBackend["name"]>().toEqualTypeOf<GpuMode>();
  expectTypeOf<GpuBackend["dtype"]>().toEqualTypeOf<"float32">();
  expectTypeOf(GPU_MODES).toEqualTypeOf<readonly GpuMode[]>();
});

it("createGpuBackend takes a mode, or nothing", () => {
  expectTypeOf(createGpuBackend()).toEqualTypeOf<Promise<GpuBackend>>();
  expectTypeOf(createGpuBackend({ mode: "webgpu", threads: false })).toEqualTypeOf<Promise<GpuBackend>>();
  // @ts-expect-error: not a mode
  void createGpuBackend({ mode: "opencl" });
});
