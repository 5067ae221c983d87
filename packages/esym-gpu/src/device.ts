/**
 * One gpu.js instance in one mode, and the proof that this mode is what runs.
 *
 * gpu.js puts its CPU mode in place of a mode that fails while a kernel is built, with a warning on the console at most. A
 * program here runs in the mode it was made for or not at all.
 */
import type { GPU } from "gpu.js";

/** What kernels can run on. */
export type GpuMode = "webgpu" | "webgl2" | "webasm" | "cpu";

/** The best first. */
export const GPU_MODES: readonly GpuMode[] = ["webgpu", "webgl2", "webasm", "cpu"];

type GpuJs = InstanceType<typeof GPU>;
type KernelFunction = (...handles: unknown[]) => unknown;

/** Where the exponentials of the scores are computed. */
export type Exponentials = "host" | "device";

export interface Device {
  readonly module: GpuJsModule;
  readonly exponentials: Exponentials;
  readonly mode: GpuMode;
  readonly gpu: GpuJs;
  /** False keeps WebAssembly on the calling thread. */
  readonly threads: boolean;
}

type GpuJsModule = typeof import("gpu.js");

/** Whether a mode may be had here; for 'webgpu', an adapter has answered. */
export async function modeAnswers(mode: GpuMode): Promise<boolean> {
  const { GPU } = await import("gpu.js");
  switch (mode) {
    case "webgpu":
      return GPU.isWebGPUSupported && (await GPU.isWebGPUAvailable());
    case "webgl2":
      return GPU.isWebGL2Supported;
    case "webasm":
      return GPU.isWebAssemblySupported;
    case "cpu":
      return true;
  }
}

/** gpu.js makes functions of source text, which a page may forbid: it loads when a device is opened, not before. */
export async function openDevice(mode: GpuMode, threads: boolean, exponentials: Exponentials): Promise<Device> {
  const module = await import("gpu.js");
  return { module, mode, gpu: new module.GPU({ mode }), threads, exponentials };
}

/** A chain of kernels compiled for fixed sizes. */
export interface Program<Names extends string> {
  /** Arguments are arrays with their sizes, fastest first; results are row-major. */
  run(args: readonly (readonly [Float32Array, readonly number[]])[]): Promise<Record<Names, Float32Array>>;
  /** How gpu.js ran it: 'fused-encoder', 'fused-threaded', 'fused-sync' or 'generic'; null before the first run. */
  readonly executor: string | null;
  destroy(): Promise<void>;
}

/** Makes a kernel for the program under construction. */
export type MakeKernel = (source: string, output: readonly number[]) => KernelFunction;

/**
 * @param args       number of arguments of the program.
 * @param compose    called once: makes kernels and returns the chain of their calls, on handles in place of arrays.
 */
export function program<Names extends string>(
  device: Device,
  args: number,
  compose: (make: MakeKernel) => (...handles: unknown[]) => Record<Names, unknown>,
): Program<Names> {
  const { mode, threads } = device;
  const { GPU, Input } = device.module;
  // gpu.js never forgets a kernel of its CPU mode: an instance for each program goes with it.
  const gpu = mode === "cpu" ? new GPU({ mode }) : device.gpu;
  const kernels: { destroy(): void }[] = [];
  const chain = compose((source, output) => {
    const kernel = gpu.createKernel(source as never, { output: [...output], precision: "single" });
    kernels.push(kernel);
    return kernel;
  });
  // gpu.js reads the number of arguments off the function.
  Object.defineProperty(chain, "length", { value: args });
  const pipeline = gpu.createPipeline(chain, { threads });
  let ran = false;
  return {
    async run(values) {
      const inputs = values.map(([data, size]) => new Input(data as never, [...size] as [number]));
      const results = (await pipeline(...inputs)) as unknown as Record<Names, unknown>;
      if (!ran) checkMode(mode, pipeline.backend, pipeline.executorKind, pipeline.fallbackReason);
      ran = true;
      return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, flatten(value)])) as Record<
        Names,
        Float32Array
      >;
    },
    get executor() {
      return ran ? pipeline.executorKind : null;
    },
    async destroy() {
      await pipeline.destroy();
      for (const kernel of kernels) kernel.destroy();
      if (gpu !== device.gpu) await gpu.destroy();
    },
  };
}

/** gpu.js calls every OpenGL mode 'gpu'; its WebAssembly is meant only where it is fused. */
function checkMode(mode: GpuMode, backend: string | null, executor: string, reason: string | null): void {
  const expected = mode === "webgl2" ? "gpu" : mode;
  if (backend !== expected || (mode === "webasm" && executor === "generic")) {
    throw new Error(`esym-gpu: mode ${mode} was asked for, but gpu.js ran ${backend} (${executor}: ${reason})`);
  }
}

/** The numbers of gpu.js's nested rows; without a copy where they are views of one buffer, as on most backends. */
function flatten(value: unknown): Float32Array {
  const rows: Float32Array[] = [];
  collect(value, rows);
  if (rows.length === 1) return rows[0];
  let length = 0;
  for (const row of rows) length += row.length;
  const { buffer, byteOffset } = rows[0];
  const last = rows[rows.length - 1];
  if (last.buffer === buffer && last.byteOffset + last.byteLength - byteOffset === 4 * length) {
    return new Float32Array(buffer as ArrayBuffer, byteOffset, length);
  }
  const out = new Float32Array(length);
  let at = 0;
  for (const row of rows) {
    out.set(row, at);
    at += row.length;
  }
  return out;
}

function collect(value: unknown, rows: Float32Array[]): void {
  if (value instanceof Float32Array) rows.push(value);
  else for (const inner of value as unknown[]) collect(inner, rows);
}
