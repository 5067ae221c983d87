/**
 * Matrices in a backend's own memory: scores written there, and gradients taken from there, are not copied.
 */
import ndarray, { type NdArray } from "ndarray";
import type { Dtype } from "@smooth-topk/esym";
import { type Engine, reserveFor } from "./engine.ts";

type Numbers = Float32Array | Float64Array;

/** A row-major matrix [batch, n] in a backend's memory, of the backend's precision. */
export interface WasmMatrix {
  readonly batch: number;
  readonly n: number;
  /** Its numbers. Take it anew after every call on the backend: memory that has grown detaches the views of before. */
  readonly data: Numbers;
  /** A view of {@link data} as an array, as short-lived. */
  readonly array: NdArray<Numbers>;
  /** Gives the memory back to the backend. */
  free(): void;
}

/** @throws RangeError if it does not fit. */
export function allocateMatrix(caller: string, engine: Engine, dtype: Dtype, batch: number, n: number): WasmMatrix {
  for (const [name, value] of [
    ["batch", batch],
    ["n", n],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${caller}: ${name} is ${value}, expected an integer of at least 1`);
    }
  }
  const length = batch * n;
  const bytes = length * (dtype === "float32" ? 4 : 8);
  const { blocks } = engine;
  reserveFor(engine, batch, n, `${caller}: the working memory of rows of n = ${n}`);
  let at: number | null = blocks.allocate(bytes, `${caller}: a matrix of ${batch} x ${n}`);
  const data = (): Numbers => {
    if (at === null) throw new Error(`${caller}: the matrix was given back by free()`);
    const { buffer } = blocks.memory;
    return dtype === "float32" ? new Float32Array(buffer, at, length) : new Float64Array(buffer, at, length);
  };
  return {
    batch,
    n,
    get data() {
      return data();
    },
    get array() {
      return ndarray(data(), [batch, n]);
    },
    free() {
      if (at !== null) blocks.free(at);
      at = null;
    },
  };
}
