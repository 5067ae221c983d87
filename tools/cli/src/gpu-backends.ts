/**
 * The backends of @smooth-topk/esym-gpu, in single precision.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BadInput } from "@smooth-topk/array-files";
import { createGpuBackend, type GpuBackend } from "@smooth-topk/esym-gpu";
import { provideWebgpu, type WebgpuAdapter } from "@smooth-topk/esym-gpu/node";
import { lossesOn } from "@smooth-topk/loss";
import { type Backend, type BackendName, messageOf } from "./backends.ts";
import type { WebgpuAnswer } from "./webgpu-probe.ts";

/** 'gpu' is WebGPU on a device that is a GPU; 'webgpu' takes a software adapter too, since that is named in the report. */
export async function openGpuBackend(name: Exclude<BackendName, "cpu" | "wasm">): Promise<Backend> {
  try {
    if (name === "webasm") return adapt(await createGpuBackend({ mode: "webasm" }), null);
    const adapter = askForAdapter();
    if (name === "gpu" && adapter.software) {
      throw new Error(`the only adapter is ${adapter.name}, which computes on the CPU`);
    }
    await provideWebgpu();
    return adapt(await createGpuBackend({ mode: "webgpu" }), adapter.name);
  } catch (error) {
    throw new BadInput(`--backend: ${name} is not available: ${messageOf(error)}`);
  }
}

function askForAdapter(): WebgpuAdapter {
  const probe = fileURLToPath(new URL("./webgpu-probe.js", import.meta.url));
  const { stdout, signal, status } = spawnSync(process.execPath, [probe], { encoding: "utf8" });
  if (stdout === "") throw new Error(`the WebGPU driver ended its process (${signal ?? `exit status ${status}`})`);
  const answer = JSON.parse(stdout) as WebgpuAnswer;
  if ("error" in answer) throw new Error(answer.error);
  return answer.adapter;
}

function adapt(gpu: GpuBackend, device: string | null): Backend {
  const losses = lossesOn(gpu);
  return {
    name: gpu.name,
    device,
    dtype: gpu.dtype,
    async valueAndGrad(scores, labels, { loss, k, tau, alpha }) {
      // What the files and the protocol hold are doubles.
      const out = { grad: new Float64Array(scores.shape.reduce((size, extent) => size * extent, 1)) };
      const shared = { reduction: "none", out } as const;
      switch (loss) {
        case "smooth-topk":
          return losses.smoothTopkLossValueAndGrad(scores, labels, { k, tau, alpha, ...shared });
        case "topk":
          return losses.topkLossValueAndGrad(scores, labels, { k, alpha, ...shared });
        case "cross-entropy":
          return losses.crossEntropyValueAndGrad(scores, labels, shared);
      }
    },
    logEsp: (x, k) => gpu.logEsp(x, k),
    inclusionProbabilities: (x, k) => gpu.inclusionProbabilities(x, k),
    logEspHvp: (x, k, v) => gpu.logEspHvp(x, k, v),
    destroy: () => gpu.destroy(),
  };
}
