/**
 * The MPFR functions of gmp-wasm, called on raw pointers: an object per operation would cost more than the operation.
 *
 * gmp-wasm keeps one WebAssembly instance per process: every oracle shares its memory and its caches of constants.
 */
import type { GMPFunctions } from "gmp-wasm";

export type Mpfr = GMPFunctions;

/** A pointer to an mpfr_t in the memory of the WebAssembly instance. */
export type MpfrPointer = number;

/** Rounding modes, as mpfr.h numbers them. */
export const NEAREST = 0;
export const UPWARD = 2;
export const DOWNWARD = 3;

/** @throws Error if gmp-wasm, an optional peer dependency, is not installed. */
export async function loadMpfr(): Promise<Mpfr> {
  let library: typeof import("gmp-wasm");
  try {
    library = await import("gmp-wasm");
  } catch (cause) {
    throw new Error("createOracle: gmp-wasm could not be loaded: npm install gmp-wasm", { cause });
  }
  const { binding } = await library.init();
  return binding;
}
