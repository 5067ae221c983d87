/**
 * The compiled kernels: instances of the module that assembly/ is compiled to, over one memory.
 */
import { platform, type WasmMemory, type WasmModule } from "./platform.ts";
import { MEMORY_FLAG_AT, MODULE_TEXT } from "./module-text.ts";

/** What the kernels export; pointers are byte addresses in the memory. assembly/ documents each. */
export interface Kernels {
  /** The first free byte. */
  heapStart(): number;
  /** Bytes of working memory that a thread needs for rows of n entries and order k. */
  roomBytes(n: number, k: number): number;
  /** Runs one chunk of the job that jobs.ts has written; returns the first row that holds NaN or +Infinity, or -1. */
  runJob(chunk: number, thread: number): number;
}

/** What a row's gradient is multiplied by; called from within a job that asks for it. */
export type RowWeightImport = (row: number, ratio: number, centre: number) => number;

const SHARED = 3;
/** Bytes of a page of memory, and the pages that 32-bit addresses reach. */
export const PAGE = 65536;
export const MOST_PAGES = 65536;

/** Compiles the module for a memory that is shared or not. */
export async function compileKernels(shared: boolean): Promise<WasmModule> {
  const bytes = Uint8Array.from(atob(MODULE_TEXT), (letter) => letter.charCodeAt(0));
  if (shared) bytes[MEMORY_FLAG_AT] = SHARED;
  return platform.WebAssembly.compile(bytes);
}

/** An instance over the memory; each thread has its own. */
export async function instantiateKernels(
  module: WasmModule,
  memory: WasmMemory,
  rowWeight: RowWeightImport,
): Promise<Kernels> {
  const { exports } = await platform.WebAssembly.instantiate(module, { env: { memory, rowWeight } });
  return exports as unknown as Kernels;
}
