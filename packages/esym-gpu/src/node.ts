/**
 * WebGPU for Node: Dawn, by the npm package webgpu, which takes 130 MB and loads when this is called.
 */
import { type WebgpuAdapter, webgpuAdapter } from "./webgpu-adapter.ts";

export type { WebgpuAdapter };

/**
 * Gives this process `navigator.gpu` and WebGPU's global names, where it lacks them, so that the mode webgpu runs.
 *
 * Dawn computes by the system's Vulkan (Metal on macOS, Direct3D 12 on Windows). VK_ICD_FILENAMES names another Vulkan
 * driver, a software one among them, if it is set before the process starts.
 *
 * @returns the adapter that kernels will run on.
 * @throws (rejects with) Error where the package webgpu is missing or does not load, or finds no adapter.
 *
 * @example
 * await provideWebgpu();
 * const backend = await createGpuBackend({ mode: "webgpu" });
 */
export async function provideWebgpu(): Promise<WebgpuAdapter> {
  const scope = globalThis as { navigator?: { gpu?: unknown } };
  if (scope.navigator?.gpu === undefined) {
    const { create, globals } = await loadDawn();
    Object.assign(globalThis, globals);
    // Node has had a navigator since version 21.
    scope.navigator ??= {};
    Object.defineProperty(scope.navigator, "gpu", { value: create([]), configurable: true });
  }
  const adapter = await webgpuAdapter();
  if (adapter === null) throw new Error("provideWebgpu: no adapter answers: the system has no Vulkan driver for a GPU");
  return adapter;
}

async function loadDawn(): Promise<{ create: (options: string[]) => unknown; globals: object }> {
  try {
    return await import("webgpu");
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new Error(`provideWebgpu: the package webgpu does not load: ${reason}`, { cause: error });
  }
}
