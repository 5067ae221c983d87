/**
 * Where a command computes: this process in double precision, in TypeScript or WebAssembly, or what @smooth-topk/esym-gpu runs on
 * in single precision.
 */
import { inclusionProbabilities, logEsp, logEspHvp } from "@smooth-topk/esym";
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad, topkLossValueAndGrad } from "@smooth-topk/loss";
import { BadInput } from "@smooth-topk/array-files";
import { Option } from "commander";
import type { NdArray } from "ndarray";

export const LOSSES = ["smooth-topk", "topk", "cross-entropy"] as const;
const BACKENDS = ["cpu", "wasm", "gpu", "webasm", "webgpu"] as const;
export type BackendName = (typeof BACKENDS)[number];

export interface LossOptions {
  readonly loss: (typeof LOSSES)[number];
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
}

interface ValueAndGrad {
  readonly value: Float64Array;
  readonly grad: NdArray;
}

export interface Backend {
  /** What computes, never the name of what was asked for but did not run. */
  readonly name: string;
  /** The device as its driver names it, where there is one. */
  readonly device: string | null;
  /** The precision it computes in. */
  readonly dtype: "float64" | "float32";
  /** Each row's loss and the gradient of it; rejects with RangeError what it cannot compute. */
  valueAndGrad(
    scores: NdArray<Float64Array>,
    labels: Float64Array | readonly number[],
    options: LossOptions,
  ): Promise<ValueAndGrad>;
  logEsp(x: NdArray<Float64Array>, k: number): Promise<NdArray>;
  inclusionProbabilities(x: NdArray<Float64Array>, k: number): Promise<NdArray>;
  logEspHvp(x: NdArray<Float64Array>, k: number, v: NdArray<Float64Array>): Promise<NdArray>;
  destroy(): void | Promise<void>;
}

const cpu: Backend = {
  name: "cpu",
  device: null,
  dtype: "float64",
  valueAndGrad: async (scores, labels, { loss, k, tau, alpha }) => {
    const reduction = "none";
    switch (loss) {
      case "smooth-topk":
        return smoothTopkLossValueAndGrad(scores, labels, { k, tau, alpha, reduction });
      case "topk":
        return topkLossValueAndGrad(scores, labels, { k, alpha, reduction });
      case "cross-entropy":
        return crossEntropyValueAndGrad(scores, labels, { reduction });
    }
  },
  logEsp: async (x, k) => logEsp(x, k),
  inclusionProbabilities: async (x, k) => inclusionProbabilities(x, k),
  logEspHvp: async (x, k, v) => logEspHvp(x, k, v),
  destroy: () => {},
};

/** Opens what was named or fails; nothing is put in its place. The GPU's packages load only for a backend of theirs. */
export async function openBackend(name: string): Promise<Backend> {
  if (name === "cpu") return cpu;
  if (!(BACKENDS as readonly string[]).includes(name)) {
    throw new BadInput(`--backend: ${name} is unknown, expected one of ${BACKENDS.join(", ")}`);
  }
  if (name === "wasm") return (await import("./wasm-backends.ts")).openWasmBackend();
  const { openGpuBackend } = await import("./gpu-backends.ts");
  return openGpuBackend(name as Exclude<BackendName, "cpu" | "wasm">);
}

/** What an error says, without the library's name of the function that throws, which means nothing to a user of the command. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^[a-zA-Z]+: /, "");
}

/** The option that names one. */
export function backendOption(): Option {
  return new Option("--backend <name>", `where to compute: ${BACKENDS.join(", ")}`).default("cpu");
}
