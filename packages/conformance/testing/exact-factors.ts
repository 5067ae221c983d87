/** Factors with rational coefficients, so that the polynomial part of the oracle can be checked exactly. */
import type { Factors } from "../src/oracle/centred-factors.ts";
import type { Enclosures } from "../src/oracle/enclosures.ts";
import { add, divide, multiply, type Rational, rational } from "./exact-rational.ts";

/** (ratio + X) above the centre, (1 + ratio X) elsewhere; ratio >= 0. */
export interface ExactFactor {
  readonly ratio: Rational;
  readonly isAbove: boolean;
}

/** The factors, enclosed at the working precision. */
export function encloseFactors(enclosures: Enclosures, exact: readonly ExactFactor[]): Factors {
  const { mpfr, lower, upper } = enclosures;
  const first = enclosures.allocate(2 * exact.length);
  const denominator = enclosures.allocate(1);
  const set = (r: number, value: bigint): void => {
    mpfr.mpfr_set_string(lower[r], value.toString(16), 16, 3);
    mpfr.mpfr_set_string(upper[r], value.toString(16), 16, 2);
  };
  exact.forEach(({ ratio, isAbove }, i) => {
    const r = first + 2 * i + (isAbove ? 0 : 1);
    enclosures.setDouble(first + 2 * i + (isAbove ? 1 : 0), 1);
    set(r, ratio.numerator);
    set(denominator, ratio.denominator);
    enclosures.divide(r, r, denominator);
  });
  return { count: exact.length, first, position: Uint8Array.from(exact, ({ isAbove }) => (isAbove ? 0 : 1)) };
}

/** All coefficients of the product, multiplied out one factor at a time. */
export function exactProduct(factors: readonly ExactFactor[]): Rational[] {
  let product = [rational(1n)];
  for (const { ratio, isAbove } of factors) {
    const [constant, linear] = isAbove ? [ratio, rational(1n)] : [rational(1n), ratio];
    product = Array.from({ length: product.length + 1 }, (_, j) =>
      add(
        j < product.length ? multiply(constant, product[j]) : rational(0n),
        j > 0 ? multiply(linear, product[j - 1]) : rational(0n),
      ),
    );
  }
  return product;
}

/** pi_i = f_i D_{k-1} / P_k, f_i the coefficient of X in factor i, D the product of the others. */
export function exactInclusion(factors: readonly ExactFactor[], k: number): Rational[] {
  const all = exactProduct(factors);
  return factors.map(({ ratio, isAbove }, i) => {
    const others = exactProduct(factors.filter((_, other) => other !== i));
    return divide(multiply(isAbove ? rational(1n) : ratio, others[k - 1]), all[k]);
  });
}
