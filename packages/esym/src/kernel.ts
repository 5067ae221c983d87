/**
 * The parts that other packages of this project build on: the border, exponentials and the row kernels.
 *
 * Kernels check nothing. Import the package itself for functions that do.
 */
export * from "./border.ts";
export * from "./one-order/centred-row.ts";
export * from "./numbers/double-double.ts";
export * from "./numbers/exponential.ts";
export * from "./numbers/selection.ts";
export * from "./one-order/leave-one-out.ts";
export * from "./one-order/inclusion.ts";
export * from "./one-order/log-ratio.ts";
export { ratioArguments, type RatioArguments, ratioResult } from "./log-esp-ratio.ts";
