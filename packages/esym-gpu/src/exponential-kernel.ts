/**
 * An exponential for kernels: the same bits on every backend, up to how it contracts a multiply-add.
 *
 * The platforms' own will not do: WGSL allows exp an error of (3 + 2 |x|) ulp, and in WebAssembly it is a call out to
 * JavaScript. Here t = m ln 2 + r with |r| <= ln 2 / 2, a polynomial for exp(r) and a table of powers of two. Error
 * below 1.5 u (u = 2^-24): the reduction is exact but for the second part of ln 2 (0.1 u), the truncated series errs by
 * 0.1 u, the terms r + ... by 0.4 u, the last addition by 1/2 ulp = u at most.
 */

/** exp is cut off here: 2^-126, the smallest normal number, is next. */
export const LOWEST_ARGUMENT = -87;

/** 2^0, 2^-1, ..., 2^-127. Kernels read it as the argument `powers`. */
export const POWERS_OF_TWO: Float32Array = Float32Array.from({ length: 128 }, (_, i) => 2 ** -i);

/**
 * Statements that declare the number `name` = exp(max(t, LOWEST_ARGUMENT)), for an expression t <= 0.
 * 355/512 times an integer up to 127 is exact in single precision; 355/512 - ln 2 = 2.1219444e-4.
 */
export function exponential(name: string, t: string): string {
  return `
  const ${name}T = Math.max(${t}, ${LOWEST_ARGUMENT.toFixed(1)});
  const ${name}M = Math.floor(${name}T * 1.44269504 + 0.5);
  const ${name}R = (${name}T - ${name}M * 0.693359375) + ${name}M * 2.12194440e-4;
  const ${name}Q = 0.5 + ${name}R * (0.16666667 + ${name}R * (0.041666668 + ${name}R * (0.0083333333
    + ${name}R * (0.0013888889 + ${name}R * 0.00019841270))));
  const ${name} = (1.0 + (${name}R + ${name}R * ${name}R * ${name}Q)) * powers[-${name}M];`;
}
