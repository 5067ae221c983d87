/**
 * The backend interface of packages/esym on WebAssembly SIMD.
 */
import {
  type ArrayLike2d,
  type Dtype,
  type EspBackend,
  logEspOfPartial,
  type LogEspRatioOptions,
  type Ratio,
  type RatioAndGrad,
  type SyncEspBackend,
} from "@smooth-topk/esym";
import {
  checkFinite,
  checkLogValues,
  checkOptions,
  checkOrder,
  checkShape,
  CheckedRows,
  describe,
  ratioArguments,
  ratioResult,
  type Rows,
  rowsOf,
  wrap,
} from "@smooth-topk/esym/kernel";
import type { NdArray } from "ndarray";
import { compute, type Engine } from "./engine.ts";
import { TASK } from "./jobs.ts";
import { compileKernels, instantiateKernels, MOST_PAGES } from "./kernels.ts";
import { platform } from "./platform.ts";
import { MemoryBlocks } from "./memory-blocks.ts";
import { canShareMemory, type RowThreads, singleThread, startThreads } from "./row-threads.ts";
import { allocateMatrix, type WasmMatrix } from "./wasm-matrix.ts";

export interface WasmBackendOptions {
  /** The precision it computes in. Default "float32". */
  readonly dtype?: Dtype | undefined;
  /** How many threads compute, the calling one included. Default 1. */
  readonly threads?: number | undefined;
}

/** {@link EspBackend} in WebAssembly; its promises are resolved at once, `sync` has the same without them. */
export interface WasmBackend extends EspBackend {
  readonly name: "wasm";
  /** How many compute: 1 where memory cannot be shared or workers cannot be started, whatever was asked for. */
  readonly threads: number;
  readonly sync: SyncEspBackend;
  /** Bytes that its memory has grown to; 0 once it is destroyed. */
  readonly memoryBytes: number;
  /**
   * A matrix [batch, n] in its memory: scores written there are read without a copy, and as `out.grad` it takes a gradient
   * without one.
   */
  allocate(batch: number, n: number): WasmMatrix;
}

const DTYPES: readonly Dtype[] = ["float32", "float64"];
/** Memory of a backend before its first call, in pages of 64 kB. */
const INITIAL_PAGES = 16;

/**
 * Makes a backend of WebAssembly SIMD: `lossesOn(backend)` of `@smooth-topk/loss` has every loss on it.
 *
 * float32 computes rows whose entries are all light in floats and the others in doubles, and is held to the contract of
 * single precision; float64 to that of double precision. The code is embedded: nothing is fetched. A page with a
 * Content-Security-Policy has to allow `'wasm-unsafe-eval'` in `script-src`, and for threads `blob:` in `worker-src`.
 *
 * @throws RangeError or TypeError for options that it does not have.
 *
 * @example
 * ```ts
 * import { createWasmBackend } from "@smooth-topk/esym-wasm";
 *
 * const backend = await createWasmBackend({ dtype: "float64" });
 * console.log(backend.sync.logEspRatio([2, 1, 0, -1], 2).value); // log sigma_2 - log sigma_1: 0.988...
 * backend.destroy();
 * ```
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<WasmBackend> {
  const caller = "createWasmBackend";
  checkOptions(caller, options, ["dtype", "threads"]);
  const { dtype = "float32", threads: wanted = 1 } = options;
  if (!DTYPES.includes(dtype)) {
    throw new RangeError(`${caller}: dtype is ${describe(dtype)}, expected one of ${DTYPES.join(", ")}`);
  }
  if (!Number.isSafeInteger(wanted) || wanted < 1) {
    throw new RangeError(`${caller}: threads is ${describe(wanted)}, expected an integer of at least 1`);
  }
  const shared = wanted > 1 && canShareMemory();
  const module = await compileKernels(shared);
  const memory = new platform.WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MOST_PAGES, shared });
  const weights: Engine["weights"] = { ask: () => 1 };
  const kernels = await instantiateKernels(module, memory, (row, ratio, centre) => weights.ask(row, ratio, centre));
  const blocks = new MemoryBlocks(memory, kernels.heapStart());
  const threads = shared ? await startThreads(kernels, module, memory, wanted) : singleThread(kernels);
  const engine: Engine = {
    floats: dtype === "float32",
    kernels,
    threads,
    blocks,
    weights,
    workspace: { at: 0, bytes: 0 },
  };
  return backendOf(engine, dtype, threads);
}

function backendOf(made: Engine, dtype: Dtype, threads: RowThreads): WasmBackend {
  let engine: Engine | null = made;
  const alive = (caller: string): Engine => {
    if (engine === null) throw new Error(`${caller}: the backend is destroyed`);
    return engine;
  };
  const destroy = (): void => {
    if (engine === null) return;
    engine = null;
    threads.stop();
  };
  const description = { name: "wasm", dtype, threads: threads.count } as const;
  const atOnce = { ...description, synchronous: true } as const;
  const sync: SyncEspBackend = {
    ...atOnce,
    logEsp: (x, k) => logEspOn(alive("logEsp"), x, k),
    inclusionProbabilities: (x, k) => inclusionProbabilitiesOn(alive("inclusionProbabilities"), x, k),
    logEspRatio: (x: ArrayLike2d | CheckedRows, k: number, options?: LogEspRatioOptions) =>
      logEspRatioOn(alive("logEspRatio"), x, k, options) as RatioAndGrad,
    logEspHvp: (x, k, v) => logEspHvpOn(alive("logEspHvp"), x, k, v),
    destroy,
  };
  return {
    ...description,
    sync,
    get memoryBytes() {
      return engine === null ? 0 : engine.blocks.memory.buffer.byteLength;
    },
    logEsp: async (x, k) => sync.logEsp(x, k),
    inclusionProbabilities: async (x, k) => sync.inclusionProbabilities(x, k),
    logEspRatio: async (x: ArrayLike2d | CheckedRows, k: number, options?: LogEspRatioOptions) =>
      sync.logEspRatio(x, k, options),
    logEspHvp: async (x, k, v) => sync.logEspHvp(x, k, v),
    allocate: (batch, n) => allocateMatrix("allocate", alive("allocate"), dtype, batch, n),
    destroy,
  };
}

/** Rows of x whose values the kernels check; k checked here. */
function rowsAndOrder(caller: string, x: ArrayLike2d, k: number): Rows {
  const rows = rowsOf(caller, "x", x);
  checkOrder(caller, k, rows.n, 0, 0);
  return rows;
}

function logEspOn(engine: Engine, x: ArrayLike2d, k: number): NdArray<Float64Array> {
  const caller = "logEsp";
  const rows = rowsAndOrder(caller, x, k);
  const { batch } = rows;
  const width = k + 1;
  const parts = new Float64Array(batch * 3 * width);
  compute(engine, { caller, task: TASK.logEsp, rows, k, width: 3 * width, wide: true, out: parts });
  const out = new Float64Array(batch * width);
  for (let b = 0; b < batch; b++) {
    const [hi, lo, exponent] = [0, 1, 2].map((part) =>
      parts.subarray((3 * b + part) * width, (3 * b + part + 1) * width),
    );
    out.set(logEspOfPartial({ version: 1, k, hi, lo, exponent }).data, b * width);
  }
  return wrap(out, rows, width);
}

function inclusionProbabilitiesOn(engine: Engine, x: ArrayLike2d, k: number): NdArray<Float64Array> {
  const caller = "inclusionProbabilities";
  const rows = rowsAndOrder(caller, x, k);
  const out = new Float64Array(rows.batch * rows.n);
  if (k === 0) checkLogValues(caller, "x", rows);
  else compute(engine, { caller, task: TASK.inclusion, rows, k, width: rows.n, out });
  return wrap(out, rows, rows.n);
}

function logEspRatioOn(
  engine: Engine,
  x: ArrayLike2d | CheckedRows,
  k: number,
  options: LogEspRatioOptions = {},
): Ratio | RatioAndGrad {
  const caller = "logEspRatio";
  const given = rowsOf(caller, "x", x);
  // The kernels check the values as they read them; with the caller's memory for a result they must be checked before.
  if (options?.out !== undefined) checkLogValues(caller, "x", given);
  const precision = engine.floats ? "float32" : "float64";
  const checked = ratioArguments(caller, new CheckedRows(given), k, options, precision);
  const { rows, temperature, leftOut, rowWeight, grad } = checked;
  const { batch, n } = rows;
  const value = new Float64Array(batch);
  const ratio = new Float64Array(batch);
  const centre = new Float64Array(batch);
  compute(engine, {
    caller,
    task: grad === null ? TASK.ratioOnly : TASK.ratioAndGradient,
    rows,
    k,
    width: grad === null ? 0 : n,
    out: grad,
    temperature,
    leftOut,
    rowWeight: grad === null ? null : rowWeight,
    ratio,
    centre,
  });
  for (let b = 0; b < batch; b++) value[b] = Math.log(ratio[b]) + centre[b] / temperature[0];
  return ratioResult(rows, value, ratio, centre, grad);
}

function logEspHvpOn(engine: Engine, x: ArrayLike2d, k: number, v: ArrayLike2d): NdArray<Float64Array> {
  const caller = "logEspHvp";
  const rows = rowsAndOrder(caller, x, k);
  const vectors = rowsOf(caller, "v", v);
  checkShape(caller, "v", vectors, rows.batch, rows.n);
  checkFinite(caller, "v", vectors);
  const out = new Float64Array(rows.batch * rows.n);
  if (k === 0) checkLogValues(caller, "x", rows);
  else compute(engine, { caller, task: TASK.hvp, rows, k, width: rows.n, out, v: vectors });
  return wrap(out, rows, rows.n);
}
