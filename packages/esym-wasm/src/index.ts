export { createWasmBackend, type WasmBackend, type WasmBackendOptions } from "./wasm-backend.ts";
export type { WasmMatrix } from "./wasm-matrix.ts";
