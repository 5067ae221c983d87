export { createGpuBackend, type GpuBackend, type GpuBackendOptions, type SmoothTopkLoss } from "./gpu-backend.ts";
export { GPU_MODES, type GpuMode } from "./device.ts";
