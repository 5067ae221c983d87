/**
 * What a backend or a loss in another package is built on: the border, which checks arguments and names them in errors,
 * the row kernels, which check nothing and compute one row in a workspace that is handed in, and the numbers under them.
 *
 * A public entry for authors of backends. Applications import the package itself, whose functions check.
 */
export * from "./border.ts";
export * from "./one-order/centred-row.ts";
export * from "./numbers/double-double.ts";
export * from "./numbers/exponential.ts";
export * from "./numbers/selection.ts";
export * from "./one-order/leave-one-out.ts";
export * from "./one-order/inclusion.ts";
export * from "./one-order/log-ratio.ts";
export { addOpenCumulants } from "./one-order/cumulants.ts";
export { ratioArguments, type RatioArguments, ratioResult } from "./log-esp-ratio.ts";
