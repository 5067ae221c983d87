/**
 * What a device offers: log sigma, inclusion probabilities, log-ratios and Hessian-vector products, by the same
 * arguments and with the same results wherever they are computed. Losses, label checks and reductions are no part of it:
 * `lossesOn` of `@smooth-topk/loss` makes the losses of `logEspRatio`.
 *
 * The CPU backend is the reference; others are checked against it.
 */
import type { NdArray } from "ndarray";
import type { ArrayLike2d, CheckedRows, Dtype } from "./border.ts";
import { inclusionProbabilities } from "./inclusion-probabilities.ts";
import { logEspHvp } from "./log-esp-hvp.ts";
import { logEspRatio, type LogEspRatioOptions, type Ratio, type RatioAndGrad } from "./log-esp-ratio.ts";
import { logEsp } from "./log-esp.ts";

/** What names a backend. */
interface BackendDescription {
  /** What executes: 'cpu', 'wasm', 'webgpu', ... Never the name of what was asked for but did not run. */
  readonly name: string;
  /** The precision it computes in, which fixes the accuracy contract it is held to and the precision of its gradients. */
  readonly dtype: Dtype;
  /** How many threads compute, where that is known. */
  readonly threads?: number | undefined;
}

/** A backend whose results are promises, because a GPU's and a worker's are. */
export interface EspBackend extends BackendDescription {
  readonly synchronous?: false | undefined;
  /** The same without promises, where the device can. */
  readonly sync?: SyncEspBackend | undefined;
  /** As {@link logEsp} with the default algorithm. */
  logEsp(x: ArrayLike2d, k: number): Promise<NdArray<Float64Array>>;
  /** As {@link inclusionProbabilities}. */
  inclusionProbabilities(x: ArrayLike2d, k: number): Promise<NdArray<Float64Array>>;
  /** As {@link logEspRatio}; the gradient is a Float32Array on a backend of that precision, unless a buffer is given. */
  logEspRatio(
    x: ArrayLike2d | CheckedRows,
    k: number,
    options: LogEspRatioOptions & { readonly gradient: false },
  ): Promise<Ratio>;
  logEspRatio(x: ArrayLike2d | CheckedRows, k: number, options?: LogEspRatioOptions): Promise<RatioAndGrad>;
  /** As {@link logEspHvp}. */
  logEspHvp(x: ArrayLike2d, k: number, v: ArrayLike2d): Promise<NdArray<Float64Array>>;
  /** Frees the device memory and the threads it holds; later calls reject. */
  destroy(): void;
}

/** A backend that returns its results at once. */
export interface SyncEspBackend extends BackendDescription {
  /** What tells it from an {@link EspBackend}. */
  readonly synchronous: true;
  /** As {@link logEsp} with the default algorithm. */
  logEsp(x: ArrayLike2d, k: number): NdArray<Float64Array>;
  /** As {@link inclusionProbabilities}. */
  inclusionProbabilities(x: ArrayLike2d, k: number): NdArray<Float64Array>;
  /** As {@link logEspRatio}; the gradient is a Float32Array on a backend of that precision, unless a buffer is given. */
  logEspRatio(
    x: ArrayLike2d | CheckedRows,
    k: number,
    options: LogEspRatioOptions & { readonly gradient: false },
  ): Ratio;
  logEspRatio(x: ArrayLike2d | CheckedRows, k: number, options?: LogEspRatioOptions): RatioAndGrad;
  /** As {@link logEspHvp}. */
  logEspHvp(x: ArrayLike2d, k: number, v: ArrayLike2d): NdArray<Float64Array>;
  /** Frees what it holds; later calls throw. */
  destroy(): void;
}

/** The reference, at once: plain TypeScript in double precision on the calling thread. */
const sync: SyncEspBackend = {
  synchronous: true,
  name: "cpu",
  dtype: "float64",
  threads: 1,
  logEsp: (x, k) => logEsp(x, k),
  inclusionProbabilities,
  logEspRatio,
  logEspHvp,
  destroy: () => {},
};

/**
 * The reference backend: plain TypeScript in double precision on the calling thread. `cpuBackend.sync` is the same
 * without promises.
 *
 * @example
 * ```ts
 * import { cpuBackend, type EspBackend } from "@smooth-topk/esym";
 *
 * const backend: EspBackend = cpuBackend;
 * console.log((await backend.logEsp([0, 0, 0], 1)).get(1)); // log 3: 1.0986
 * ```
 */
export const cpuBackend: EspBackend & { readonly sync: SyncEspBackend } = {
  name: "cpu",
  dtype: "float64",
  threads: 1,
  sync,
  logEsp: async (x, k) => logEsp(x, k),
  inclusionProbabilities: async (x, k) => inclusionProbabilities(x, k),
  logEspRatio: async (x, k, options?: LogEspRatioOptions) => logEspRatio(x, k, options),
  logEspHvp: async (x, k, v) => logEspHvp(x, k, v),
  destroy: () => {},
};
