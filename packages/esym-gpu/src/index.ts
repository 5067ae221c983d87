export { createGpuBackend, type GpuBackend, type GpuBackendOptions } from "./gpu-backend.ts";
export { GPU_MODES, type GpuMode } from "./device.ts";
