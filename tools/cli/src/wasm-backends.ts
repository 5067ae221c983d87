/**
 * The backend of @smooth-topk/esym-wasm, in double precision.
 */
import { createWasmBackend } from "@smooth-topk/esym-wasm";
import { lossesOn } from "@smooth-topk/loss";
import type { Backend } from "./backends.ts";

export async function openWasmBackend(): Promise<Backend> {
  const wasm = await createWasmBackend({ dtype: "float64" });
  const losses = lossesOn(wasm.sync);
  return {
    name: wasm.name,
    device: null,
    dtype: wasm.dtype,
    async valueAndGrad(scores, labels, { loss, k, tau, alpha }) {
      const reduction = "none";
      switch (loss) {
        case "smooth-topk":
          return losses.smoothTopkLossValueAndGrad(scores, labels, { k, tau, alpha, reduction });
        case "topk":
          return losses.topkLossValueAndGrad(scores, labels, { k, alpha, reduction });
        case "cross-entropy":
          return losses.crossEntropyValueAndGrad(scores, labels, { reduction });
      }
    },
    logEsp: (x, k) => wasm.logEsp(x, k),
    inclusionProbabilities: (x, k) => wasm.inclusionProbabilities(x, k),
    logEspHvp: (x, k, v) => wasm.logEspHvp(x, k, v),
    destroy: () => wasm.destroy(),
  };
}
