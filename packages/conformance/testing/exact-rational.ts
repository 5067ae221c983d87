/**
 * Rationals of BigInts, and their rounding to double by integer division: what interval arithmetic is checked against,
 * sharing nothing with it.
 */
import type { Mpfr, MpfrPointer } from "../src/oracle/mpfr.ts";

/** numerator / denominator, denominator > 0, not necessarily in lowest terms. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export function rational(numerator: bigint, denominator = 1n): Rational {
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
}

export function fromDouble(x: number): Rational {
  if (!Number.isFinite(x)) throw new RangeError(`fromDouble: ${x}`);
  let exponent = 0;
  let mantissa = x;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  return rational(BigInt(mantissa), 1n << BigInt(exponent));
}

export function add(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function subtract(a: Rational, b: Rational): Rational {
  return add(a, rational(-b.numerator, b.denominator));
}

export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

export function divide(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** Negative, zero or positive as a is below, at or above b. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function bitLength(a: bigint): number {
  return a.toString(2).length;
}

/** The double nearest to a, ties to even; zeros are +0. */
export function nearestDouble(a: Rational): number {
  if (a.numerator === 0n) return 0;
  if (a.numerator < 0n) return -nearestDouble(rational(-a.numerator, a.denominator)) + 0;
  // a = quotient 2^exponent with quotient in [2^52, 2^54), or smaller at the least exponent.
  let exponent = Math.max(-1074, bitLength(a.numerator) - bitLength(a.denominator) - 53);
  for (;;) {
    const up = BigInt(Math.max(0, -exponent));
    const down = BigInt(Math.max(0, exponent));
    const numerator = a.numerator << up;
    const denominator = a.denominator << down;
    let quotient = numerator / denominator;
    if (quotient >= 1n << 53n) {
      exponent++;
      continue;
    }
    const twice = 2n * (numerator - quotient * denominator);
    if (twice > denominator || (twice === denominator && quotient % 2n === 1n)) quotient++;
    return exponent > 971 ? Infinity : Number(quotient) * 2 ** exponent;
  }
}

/** The value of an MPFR number, exactly. */
export function fromMpfr(mpfr: Mpfr, pointer: MpfrPointer): Rational {
  if (mpfr.mpfr_zero_p(pointer) !== 0) return rational(0n);
  if (mpfr.mpfr_number_p(pointer) === 0) throw new RangeError("fromMpfr: not a number");
  const integer = mpfr.mpz_t();
  mpfr.mpz_init(integer);
  const exponent = mpfr.mpfr_get_z_2exp(integer, pointer);
  const digits = mpfr.mpz_to_string(integer, 16);
  mpfr.mpz_clear(integer);
  mpfr.mpz_t_free(integer);
  const mantissa = digits.startsWith("-") ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
  return exponent < 0 ? rational(mantissa, 1n << BigInt(-Number(exponent))) : rational(mantissa << BigInt(exponent));
}
