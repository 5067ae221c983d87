/**
 * The backend object: modes, checks, and one queue for all its calls.
 */
import {
  type ArrayLike2d,
  type EspBackend,
  inclusionProbabilities,
  logEsp,
  logEspHvp,
  logEspRatio,
  type LogEspRatioOptions,
  type RatioAndGrad,
} from "@smooth-topk/esym";
import { type CheckedRows, checkedRows, describe, ratioArguments, ratioResult, wrap } from "@smooth-topk/esym/kernel";
import { type Device, type Exponentials, GPU_MODES, type GpuMode, modeAnswers, openDevice } from "./device.ts";
import { inclusionRows, logEspRows, ratioRows } from "./log-values.ts";
import { type ProgramCache, programCache } from "./program-cache.ts";
import { fitsDevice } from "./row-blocks.ts";

export interface GpuBackendOptions {
  /** What to run on; default: the first of webgpu and webgl2 that answers, a GPU then in most places. */
  readonly mode?: GpuMode | undefined;
  /** False keeps WebAssembly on one thread. Default true. */
  readonly threads?: boolean | undefined;
  /**
   * Where the exponentials of the scores are computed: 'host', in double precision on the calling thread, the default on
   * webasm and cpu, where kernels run on the same processor and have no fast exponential; or 'device', the default on GPUs.
   */
  readonly exponentials?: Exponentials | undefined;
}

/** @see createGpuBackend */
export interface GpuBackend extends EspBackend {
  readonly name: GpuMode;
  readonly dtype: "float32";
  readonly synchronous?: false | undefined;
  readonly sync?: undefined;
  /** How the last call ran: 'fused-encoder', 'fused-threaded', 'fused-sync' or 'generic'. */
  readonly executor: string | null;
  /** How many rows so far were computed by the reference, in double precision on the host: docs/gpu.md, section 2. */
  readonly rowsOnHost: number;
}

/**
 * A backend on gpu.js, in single precision.
 *
 * Arguments must not change before a call's promise settles. Calls run one after the other. Rows that single precision does not hold (k above 200, k near n above a hundred, scores
 * more than 1e9 T above the k-th largest) are computed by the reference on the host, as is `logEspHvp`: `rowsOnHost`
 * counts them. On processors `@smooth-topk/esym-wasm` is the faster backend: name 'webasm' or 'cpu' to have them here.
 *
 * @throws (rejects with) RangeError for an unknown mode, Error where the mode named is not there or does not run: nothing is
 *         put in its place.
 *
 * @example
 * const backend = await createGpuBackend({ mode: "webasm" });
 * (await backend.logEsp([0, 0, 0], 2)).data; // log 1, log 3, log 3
 * backend.destroy();
 */
export async function createGpuBackend(options: GpuBackendOptions = {}): Promise<GpuBackend> {
  const { mode, threads = true } = options;
  const open = async (chosen: GpuMode): Promise<GpuBackend> => {
    const onHost = chosen === "webasm" || chosen === "cpu";
    return start(await openDevice(chosen, threads, options.exponentials ?? (onHost ? "host" : "device")));
  };
  if (mode !== undefined) {
    if (!GPU_MODES.includes(mode)) {
      throw new RangeError(
        `createGpuBackend: mode is ${describe(mode)}, expected ${GPU_MODES.map((known) => `'${known}'`).join(", ")}`,
      );
    }
    if (!(await modeAnswers(mode))) throw new Error(`createGpuBackend: mode ${mode} is not available here`);
    return open(mode);
  }
  const reasons: string[] = [];
  for (const candidate of ["webgpu", "webgl2"] as const) {
    try {
      if (await modeAnswers(candidate)) return await open(candidate);
    } catch (error) {
      reasons.push(`${candidate}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(
    `createGpuBackend: neither webgpu nor webgl2 runs here${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}; on processors use @smooth-topk/esym-wasm, or name the mode webasm or cpu`,
  );
}

/** A small call: gpu.js finds out only when it builds a kernel whether a mode can run it. */
async function start(device: Device): Promise<GpuBackend> {
  const backend = backendOn(device);
  try {
    await backend.logEspRatio(new Float32Array(16), 2);
  } catch (error) {
    backend.destroy();
    throw error;
  }
  return backend;
}

function backendOn(device: Device): GpuBackend {
  const cache: ProgramCache = programCache(device);
  let queue: Promise<unknown> = Promise.resolve();
  let destroyed = false;

  /** Runs after all calls before it; destroy() comes after those that it finds waiting. */
  function next<T>(caller: string, task: () => Promise<T>): Promise<T> {
    if (destroyed) throw new Error(`${caller}: the ${device.mode} backend has been destroyed`);
    const result = queue.then(task);
    queue = result.catch(() => {});
    return result;
  }

  /** Rows of a call that no program on the device takes. */
  function countOnHost(batch: number): void {
    cache.rowsOnHost += batch;
  }

  return {
    name: device.mode,
    dtype: "float32",
    get executor() {
      return cache.executor;
    },
    get rowsOnHost() {
      return cache.rowsOnHost;
    },
    async logEsp(x, k) {
      const rows = checkedRows("logEsp", x, k, 0);
      return next("logEsp", async () => {
        if (fitsDevice(rows.n, k)) return wrap(await logEspRows(cache, rows, k), rows, k + 1);
        countOnHost(rows.batch);
        return logEsp(x, k);
      });
    },
    async inclusionProbabilities(x, k) {
      const caller = "inclusionProbabilities";
      const rows = checkedRows(caller, x, k, 0);
      return next(caller, async () => {
        if (k === 0) return wrap(new Float64Array(rows.batch * rows.n), rows, rows.n);
        if (fitsDevice(rows.n, k)) return wrap(await inclusionRows(cache, rows, k), rows, rows.n);
        countOnHost(rows.batch);
        return inclusionProbabilities(x, k);
      });
    },
    async logEspRatio(
      x: ArrayLike2d | CheckedRows,
      k: number,
      options: LogEspRatioOptions = {},
    ): Promise<RatioAndGrad> {
      const args = ratioArguments("logEspRatio", x, k, options, "float32");
      const { rows, temperature, grad } = args;
      return next("logEspRatio", async () => {
        if (!fitsDevice(rows.n, k)) {
          countOnHost(rows.batch);
          return logEspRatio(x, k, grad === null ? options : { ...options, out: { grad } });
        }
        const { ratio, centre } = await ratioRows(cache, args, k);
        const value = ratio.map((r, b) => Math.log(r) + centre[b] / temperature[0]);
        return ratioResult(rows, value, ratio, centre, grad) as RatioAndGrad;
      });
    },
    async logEspHvp(x, k, v) {
      return next("logEspHvp", async () => {
        const product = logEspHvp(x, k, v);
        countOnHost(product.shape.length === 1 ? 1 : product.shape[0]);
        return product;
      });
    },
    destroy() {
      if (destroyed) return;
      destroyed = true;
      queue = queue.then(async () => {
        await cache.clear();
        await device.gpu.destroy();
      });
    },
  };
}
