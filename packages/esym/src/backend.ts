/**
 * What a backend offers: the same three functions on whatever device it runs. Results are promises, because a GPU's
 * are. The CPU backend is the reference; others are checked against it.
 */
import type { NdArray } from "ndarray";
import type { ArrayLike2d, Dtype } from "./border.ts";
import { inclusionProbabilities, logEspRatio, type RatioAndGrad } from "./derivatives.ts";
import { logEsp } from "./log-esp.ts";

export interface EspBackend {
  /** What executes: 'cpu', 'webgpu', 'webgl2', 'webasm', ... Never the name of what was asked for but did not run. */
  readonly name: string;
  /** The precision it computes in, which fixes the accuracy contract it is held to. */
  readonly dtype: Dtype;
  /** As {@link logEsp} with the default algorithm. */
  logEsp(x: ArrayLike2d, k: number): Promise<NdArray<Float64Array>>;
  /** As {@link inclusionProbabilities}. */
  inclusionProbabilities(x: ArrayLike2d, k: number): Promise<NdArray<Float64Array>>;
  /** As {@link logEspRatio}. */
  logEspRatio(x: ArrayLike2d, k: number): Promise<RatioAndGrad>;
  /** Frees the device memory it holds; later calls reject. */
  destroy(): void;
}

/** The reference: plain TypeScript in double precision on the calling thread. */
export const cpuBackend: EspBackend = {
  name: "cpu",
  dtype: "float64",
  logEsp: async (x, k) => logEsp(x, k),
  inclusionProbabilities: async (x, k) => inclusionProbabilities(x, k),
  logEspRatio: async (x, k) => logEspRatio(x, k),
  destroy: () => {},
};
