/**
 * The backends of @smooth-topk/esym-gpu, in single precision.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BadInput } from "@smooth-topk/array-files";
import { createGpuBackend, type GpuBackend } from "@smooth-topk/esym-gpu";
import { provideWebgpu, type WebgpuAdapter } from "@smooth-topk/esym-gpu/node";
import ndarray from "ndarray";
import { type Backend, type BackendName, messageOf } from "./backends.ts";
import type { WebgpuAnswer } from "./webgpu-probe.ts";

/** Cross-entropy is the smooth loss with these. */
const CROSS_ENTROPY = { k: 1, tau: 1, alpha: 0 } as const;

/** 'gpu' is WebGPU on a device that is a GPU; 'webgpu' takes a software adapter too, since that is named in the report. */
export async function openGpuBackend(name: Exclude<BackendName, "cpu">): Promise<Backend> {
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
  return {
    name: gpu.name,
    device,
    dtype: gpu.dtype,
    async valueAndGrad(scores, labels, { loss, k, tau, alpha }) {
      if (loss === "topk")
        throw new RangeError(`${gpu.name} does not compute the hard top-k loss, the backend cpu does`);
      const options = loss === "cross-entropy" ? CROSS_ENTROPY : { k, tau, alpha };
      const { loss: value, grad } = await gpu.smoothTopkLoss(scores, labels, options);
      // What the files and the protocol hold are doubles.
      return {
        value: new Float64Array(value),
        grad: ndarray(new Float64Array(grad.data), grad.shape),
      };
    },
    logEsp: (x, k) => gpu.logEsp(x, k),
    inclusionProbabilities: (x, k) => gpu.inclusionProbabilities(x, k),
    async logEspHvp() {
      throw new RangeError(`${gpu.name} does not compute Hessian-vector products, the backend cpu does`);
    },
    destroy: () => gpu.destroy(),
  };
}
