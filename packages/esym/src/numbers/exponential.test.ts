import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { twoProduct } from "./double-double.ts";
import { expBelow, exponentialScale, extendedExp, powerOfTwo, UNIT_SCALE } from "./exponential.ts";

const BITS = 256n;
const ONE = 1n << BITS;

/** A double as a fixed-point number with 256 fractional bits (exact above 2^-200). */
function fixed(x: number): bigint {
  let exponent = 0n;
  let mantissa = x;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  return (BigInt(mantissa) << BITS) >> exponent;
}

/** ln 2 in fixed point, by the series sum 1 / (m 2^m). */
const LN2 = (() => {
  let sum = 0n;
  for (let m = 1n; m <= BITS; m++) sum += ONE / (m << m);
  return sum;
})();

/** exp of a fixed-point number as mantissa (fixed point, in [1, 2)) and exponent, to about 240 bits. */
function exactExp(x: bigint): { mantissa: bigint; exponent: number } {
  let exponent = x / LN2;
  if (exponent * LN2 > x) exponent--;
  const r = x - exponent * LN2;
  let term = ONE;
  let sum = 0n;
  for (let m = 1n; term > 0n; m++) {
    sum += term;
    term = (term * r) / (m << BITS);
  }
  return { mantissa: sum, exponent: Number(exponent) };
}

/** Relative error of value 2^exponent against exp(x), in u = 2^-53. */
function errorInU(value: bigint, exponent: number, x: bigint): number {
  const exact = exactExp(x);
  const shift = exponent - exact.exponent;
  const scaled = shift >= 0 ? value << BigInt(shift) : value >> BigInt(-shift);
  const difference = scaled - exact.mantissa;
  return Number(((difference < 0n ? -difference : difference) << 80n) / exact.mantissa) * 2 ** -27;
}

describe("exponentials", () => {
  /** Error of exp((x - centre) / (k tau)) in u. */
  function expBelowError(x: number, centre: number, k: number, tau: number): number {
    const out = new Float64Array(1);
    expBelow(Float64Array.of(x), 1, centre, exponentialScale(twoProduct(k, tau)), out);
    const argument = ((fixed(x) - fixed(centre)) << BITS) / ((fixed(k) * fixed(tau)) >> BITS);
    return errorInU(fixed(out[0] * 2 ** 1000), -1000, argument);
  }

  it("expBelow is within 1.2 u of exp((x - centre) / T), far below the centre too", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 690, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        (centre, depth, k, tau) => {
          const x = centre - depth * k * tau;
          // The test's fixed point ends at 2^-200.
          fc.pre([x, centre].every((v) => v === 0 || Math.abs(v) > 1e-30));
          expect(expBelowError(x, centre, k, tau)).toBeLessThan(1.2);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("that bound is not far from what happens: 0.9 u is passed among 5000 arguments", () => {
    let worst = 0;
    for (let i = 0; i < 5000; i++) worst = Math.max(worst, expBelowError(-0.1379 * i, 0, 5, 1));
    expect(worst).toBeGreaterThan(0.9);
    expect(worst).toBeLessThan(1.2);
  });

  it("expBelow gives 1 at the centre and 0 for removed entries and below the range", () => {
    const out = new Float64Array(4);
    expBelow(Float64Array.of(3, -Infinity, -1e300, 3 - 746), 4, 3, UNIT_SCALE, out);
    expect([...out]).toEqual([1, 0, 0, 0]);
  });

  it("extendedExp keeps 66 bits at any magnitude", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }).filter((v) => v === 0 || Math.abs(v) > 1e-30),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (hi, r) => {
          const lo = Math.abs(hi * r) > 1e-10 ? hi * r * 2 ** -54 : 0;
          const { mantissa, rest, exponent } = extendedExp(hi, lo);
          const error = errorInU(fixed(mantissa) + fixed(rest), exponent, fixed(hi) + fixed(lo));
          expect(error).toBeLessThan(2 ** -13);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("extendedExp of numbers whose neighbours are a factor e apart keeps the exponent", () => {
    const { mantissa, exponent } = extendedExp(1e300, 0);
    expect(mantissa).toBe(1);
    expect(exponent).toBe(Math.round(1e300 / Math.LN2));
  });

  it("powerOfTwo ends where doubles end", () => {
    expect(powerOfTwo(-1e9)).toBe(0);
    expect(powerOfTwo(-1074)).toBe(5e-324);
    expect(powerOfTwo(1023)).toBe(2 ** 1023);
    expect(powerOfTwo(1e9)).toBe(Infinity);
  });
});
