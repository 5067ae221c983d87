import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encloseFactors, type ExactFactor, exactInclusion } from "../../testing/exact-factors.ts";
import { type Rational, rational } from "../../testing/exact-rational.ts";
import { Enclosures } from "./enclosures.ts";
import { inclusionOfFactors } from "./inclusion-probabilities.ts";
import { loadMpfr } from "./mpfr.ts";
import { createDecimalOracle, createOracle, type DecimalOracle, type Oracle } from "./oracle.ts";
import { toDigits } from "./rounding.ts";

let enclosures: Enclosures;
let doubles: Oracle;
let decimals: DecimalOracle;
beforeAll(async () => {
  enclosures = new Enclosures(await loadMpfr());
  doubles = await createOracle();
  decimals = await createDecimalOracle(40);
});
afterAll(() => {
  enclosures.destroy();
  doubles.destroy();
  decimals.destroy();
});

/** The digits of a positive rational by long division, the last one rounded to the nearest, ties to even. */
function longDivision(a: Rational, digits: number): { mantissa: bigint; exponent: number } {
  let exponent = 0;
  let { numerator, denominator } = a;
  while (numerator >= denominator * 10n ** BigInt(digits)) {
    denominator *= 10n;
    exponent++;
  }
  while (numerator < denominator * 10n ** BigInt(digits - 1)) {
    numerator *= 10n;
    exponent--;
  }
  const quotient = numerator / denominator;
  const twice = 2n * (numerator - quotient * denominator);
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return { mantissa: up ? quotient + 1n : quotient, exponent };
}

/** The same number from its text. */
function parse(text: string): Rational {
  const [, whole, fraction = "", exponent = "0"] = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  const scale = Number(exponent) - fraction.length;
  const mantissa = BigInt(whole + fraction);
  return scale < 0 ? rational(mantissa, 10n ** BigInt(-scale)) : rational(mantissa * 10n ** BigInt(scale));
}

describe("values of 40 digits", () => {
  const factor = fc.record({
    ratio: fc.tuple(fc.bigInt(1n, 10n ** 9n), fc.nat(40)).map(([a, down]) => rational(a, (10n ** 9n) << BigInt(down))),
    isAbove: fc.boolean(),
  });

  it("are those of the exact rational, digit by digit", () => {
    fc.assert(
      fc.property(fc.array(factor, { minLength: 1, maxLength: 7 }), fc.nat(), (factors: ExactFactor[], draw) => {
        const k = 1 + (draw % factors.length);
        const wanted = new Uint8Array(factors.length).fill(1);
        const rounded = inclusionOfFactors(enclosures, toDigits(40), k, wanted, () =>
          encloseFactors(enclosures, factors),
        );
        exactInclusion(factors, k).forEach((exact, i) => {
          const { mantissa, exponent } = longDivision(exact, 40);
          const { numerator, denominator } = parse(rounded[i]);
          const scaled = exponent < 0 ? numerator * 10n ** BigInt(-exponent) : numerator;
          expect(scaled).toBe(mantissa * denominator * (exponent > 0 ? 10n ** BigInt(exponent) : 1n));
        });
      }),
      { numRuns: 50 },
    );
  });

  // A double lies within 2^-53 of the exact value, relative, and 40 digits within 10^-39: a double nearest to those
  // digits is another one only if the exact value is within 10^-39 of a midpoint, once in 10^23 draws.
  it("are nearest to the double that is given for the same value", () => {
    const entry = fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.constantFrom(0, 1, -Infinity));
    fc.assert(
      fc.property(fc.array(entry, { minLength: 2, maxLength: 9 }), fc.constantFrom(1, 0.01, 30), (tail, tau) => {
        const x = [0.5, ...tail];
        // Adding 0 takes the sign off a zero.
        const same = (digits: string[], values: Float64Array): void =>
          expect(digits.map((text) => Number(text) + 0)).toEqual(Array.from(values, (value) => value + 0));
        same(decimals.logEsp(x, 2), doubles.logEsp(x, 2));
        same(decimals.inclusionProbabilities(x, 2), doubles.inclusionProbabilities(x, 2));
        const v = x.map((_, i) => (i * 7) % 5);
        same(decimals.logEspHvp(x, 2, v), doubles.logEspHvp(x, 2, v));
        const smooth = doubles.smoothTopkLoss(x, 0, { k: 2, tau });
        const smoothDigits = decimals.smoothTopkLoss(x, 0, { k: 2, tau });
        same([smoothDigits.loss, ...smoothDigits.grad], Float64Array.of(smooth.loss, ...smooth.grad));
        // The hard loss is a sum of doubles over k and now and then a midpoint: its digits may fall on either side of it.
        const hard = doubles.topkLoss(x, 0, { k: 2 });
        const hardDigits = decimals.topkLoss(x, 0, { k: 2 });
        same(hardDigits.grad, Float64Array.from(hard.grad));
        expect(Math.abs(Number(hardDigits.loss) - hard.loss)).toBeLessThanOrEqual(2 ** -52 * hard.loss);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ["log 3", () => decimals.logEsp([0, 0, 0], 1)[1], "1.098612288668109691395245236922525704647"],
    ["1/3", () => decimals.inclusionProbabilities([1, 1, 1], 1)[0], `0.${"3".repeat(40)}`],
    ["a short fraction", () => decimals.inclusionProbabilities([1, 1, 1, 1, 1], 2)[0], "0.4"],
    ["a number without fraction", () => decimals.logEsp([100, -Infinity], 1)[1], "100"],
    ["an infinity", () => decimals.logEsp([100, -Infinity], 2)[2], "-Infinity"],
    ["not a number", () => decimals.inclusionProbabilities([1, -Infinity], 2)[0], "NaN"],
    ["an exact 0", () => decimals.topkLoss([9, 1, 1], 0, { k: 1 }).loss, "0"],
    ["a 0 by symmetry", () => decimals.logEspHvp([0, 0, 0], 1, [1, 0, -1])[1], "0"],
    [
      "less than the least double",
      () => decimals.smoothTopkLoss([2000, 0], 0, { k: 1, alpha: 0 }).grad[1],
      "2.576535872961149652190150499507352912722e-869",
    ],
    ["a large number", () => decimals.logEsp([1e300], 1)[1], "1.000000000000000052504760255204420248704e+300"],
  ])("write %s as %s", (_, of, text) => {
    expect(of()).toBe(text);
  });
});
