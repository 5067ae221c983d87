/** A worker that computes with a backend of its own and answers with what it found. */
import { createWasmBackend } from "../src/index.ts";

const backend = await createWasmBackend({ dtype: "float64" });
const { value, grad } = backend.sync.logEspRatio([3, 2, 1, 0], 2);
postMessage([value.get(0), ...grad.data]);
backend.destroy();
