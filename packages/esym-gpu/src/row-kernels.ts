/**
 * Sources of the kernels that both forms of the product share: factors from scores, and the scale of each row's derivative.
 */
import { exponential, LOWEST_ARGUMENT } from "./exponential-kernel.ts";

/**
 * [columns, rows]: signed factors from arguments (x - centre) / T; arguments below the cut-off, as of removed classes, give 0.
 * The sign of a factor must not be lost: above the centre v stays at least 2^-126.
 */
export function factorSource(): string {
  return `function (x, powers) {
  const t = x[this.thread.y][this.thread.x];${exponential("e", "-Math.abs(t)")}
  return t > 0.0 ? -e : (t < ${LOWEST_ARGUMENT.toFixed(1)} ? 0.0 : e);
}`;
}

/** [rows]: an expression of the argument full. */
export function rowSource(expression: string): string {
  return `function (full) {
  return ${expression};
}`;
}
