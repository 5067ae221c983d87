/**
 * The properties on what a browser computes with.
 */
import { expect, it } from "vitest";
import { describeBackend } from "../testing/backend-properties.ts";
import { describeThreads } from "../testing/threads.ts";
import { createGpuBackend } from "./index.ts";
import { webgpuAdapter } from "./webgpu-adapter.ts";

/** What is used of a page; with the library dom, gpu.js's declarations are others. */
const page = globalThis as unknown as {
  readonly crossOriginIsolated: boolean;
  readonly navigator: { readonly hardwareConcurrency: number };
  readonly document: {
    createElement(name: "canvas"): {
      getContext(name: "webgl2"): {
        getExtension(name: "WEBGL_debug_renderer_info"): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
        getParameter(name: number): unknown;
      } | null;
    };
  };
};

it("WebGPU has an adapter, WebGL2 a renderer, WebAssembly its threads", async () => {
  const adapter = await webgpuAdapter();
  const gl = page.document.createElement("canvas").getContext("webgl2");
  const { UNMASKED_RENDERER_WEBGL = 0 } = gl?.getExtension("WEBGL_debug_renderer_info") ?? {};
  const renderer = gl?.getParameter(UNMASKED_RENDERER_WEBGL);
  console.log(`webgpu in Chromium runs on ${adapter?.name}, webgl2 on ${String(renderer)}`);
  expect(adapter).not.toBeNull();
  expect(renderer).toMatch(/./);
  expect(page.crossOriginIsolated).toBe(true);
});

const { SMOOTH_TOPK_DEEP } = (import.meta as unknown as { env: Record<string, string | undefined> }).env;
const size = SMOOTH_TOPK_DEEP === "1" ? { shapes: 20, runs: 20 } : { shapes: 2, runs: 4 };
describeBackend("webgpu", () => createGpuBackend({ mode: "webgpu" }), size);
describeBackend("webgl2", () => createGpuBackend({ mode: "webgl2" }), size);
describeBackend("webasm", () => createGpuBackend({ mode: "webasm" }), size);
describeThreads(page.navigator.hardwareConcurrency);
