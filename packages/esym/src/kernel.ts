/**
 * The parts that other packages of this project build on: the border, exponentials and the row kernels.
 *
 * Kernels check nothing. Import the package itself for functions that do.
 */
export * from "./border.ts";
export * from "./centred-row.ts";
export * from "./double-double.ts";
export * from "./exponential.ts";
export * from "./largest.ts";
export * from "./leave-one-out.ts";
export * from "./log-ratio.ts";
