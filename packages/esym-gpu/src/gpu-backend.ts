/**
 * The backend object: modes, checks, and one queue for all its calls.
 */
import type { ArrayLike2d, EspBackend, RatioAndGrad } from "@smooth-topk/esym";
import { checkLogValues, checkOrder, describe, type Rows, rowsOf, wrap } from "@smooth-topk/esym/kernel";
import { type Device, type Exponentials, GPU_MODES, type GpuMode, modeAnswers, openDevice } from "./device.ts";
import { derivativeRows, logEspRows } from "./log-values.ts";
import { type ProgramCache, programCache } from "./program-cache.ts";
import { checkSizes } from "./row-blocks.ts";
import { checkLoss, type Labels, lossRows, type SmoothTopkLossOptions } from "./smooth-topk-loss.ts";

export interface GpuBackendOptions {
  /** What to run on; default: the first of webgpu, webgl2, webasm, cpu that answers. */
  readonly mode?: GpuMode | undefined;
  /** False keeps WebAssembly on one thread. Default true. */
  readonly threads?: boolean | undefined;
  /**
   * Where the exponentials of the scores are computed: 'host', in double precision on the calling thread, the default on
   * webasm and cpu, where kernels run on the same processor and have no fast exponential; or 'device', the default on GPUs.
   */
  readonly exponentials?: Exponentials | undefined;
}

/** One loss a row, and each row's own gradient. */
export interface SmoothTopkLoss {
  readonly loss: Float32Array;
  readonly grad: ReturnType<typeof wrap<Float32Array>>;
}

/** @see createGpuBackend */
export interface GpuBackend extends Omit<EspBackend, "logEspRatio" | "logEspHvp" | "sync"> {
  readonly name: GpuMode;
  readonly dtype: "float32";
  /** How the last call ran: 'fused-encoder', 'fused-threaded', 'fused-sync' or 'generic'. */
  readonly executor: string | null;
  /** As the reference's, without options. */
  logEspRatio(x: ArrayLike2d, k: number): Promise<Pick<RatioAndGrad, "value" | "grad">>;
  /**
   * The smooth top-k loss of each row and its gradient in the scores, fused:
   * L = tau softplus(alpha / tau + log sigma_k(e without y) - log sigma_{k-1}(e without y) - s_y / (k tau)),
   * e_i = exp(s_i / (k tau)).
   *
   * @param scores  [batch, n], or [n] for one sample; -Infinity masks a class. Where masking leaves fewer than k
   *                classes besides y, the loss and its gradient are 0.
   * @param labels  [batch] class indices.
   * @returns loss [batch], relative error below 1e-5; grad of the shape of scores, each entry not below 1e-30 within 1e-3
   *          of itself and 1e-5 of the row's largest.
   * @throws (rejects with) RangeError or TypeError naming the argument, the index and the value.
   */
  smoothTopkLoss(scores: ArrayLike2d, labels: Labels, options?: SmoothTopkLossOptions): Promise<SmoothTopkLoss>;
}

/**
 * A backend on gpu.js, in single precision.
 *
 * Arguments must not change before a call's promise settles. Calls run one after the other. k is at most 200.
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
  const open = (chosen: GpuMode): Promise<GpuBackend> => {
    const onHost = chosen === "webasm" || chosen === "cpu";
    return start(openDevice(chosen, threads, options.exponentials ?? (onHost ? "host" : "device")));
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
  for (const candidate of GPU_MODES) {
    try {
      if (await modeAnswers(candidate)) return await open(candidate);
    } catch (error) {
      reasons.push(`${candidate}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`createGpuBackend: no mode runs here: ${reasons.join("; ")}`);
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

  function checked(caller: string, x: ArrayLike2d, k: number, lowest: 0 | 1): Rows {
    const rows = rowsOf(caller, "x", x);
    checkOrder(caller, k, rows.n, lowest, 0);
    checkLogValues(caller, "x", rows);
    checkSizes(caller, rows.n, k);
    return rows;
  }

  return {
    name: device.mode,
    dtype: "float32",
    get executor() {
      return cache.executor;
    },
    async logEsp(x, k) {
      const rows = checked("logEsp", x, k, 0);
      return wrap(await next("logEsp", () => logEspRows(cache, rows, k)), rows, k + 1);
    },
    async inclusionProbabilities(x, k) {
      const caller = "inclusionProbabilities";
      const rows = checked(caller, x, k, 0);
      if (k === 0) return wrap(new Float64Array(rows.batch * rows.n), rows, rows.n);
      const { grad } = await next(caller, () => derivativeRows(cache, "inclusion", rows, k));
      return wrap(grad, rows, rows.n);
    },
    async logEspRatio(x, k) {
      const rows = checked("logEspRatio", x, k, 1);
      const { value, grad } = await next("logEspRatio", () => derivativeRows(cache, "ratio", rows, k));
      return { value: wrap(value, { ...rows, isVector: true }, rows.batch), grad: wrap(grad, rows, rows.n) };
    },
    async smoothTopkLoss(scores, labels, options = {}) {
      const loss = checkLoss(scores, labels, options);
      const { rows } = loss;
      const result = await next("smoothTopkLoss", () => lossRows(cache, loss));
      return { loss: result.loss, grad: wrap(result.grad, rows, rows.n) };
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
