import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, divide, type DoubleDouble, multiply, twoProduct, twoSum } from "./double-double.ts";

/** A sum of doubles of moderate exponent, exactly, as an integer multiple of 2^-600. */
function exact(...terms: number[]): bigint {
  let sum = 0n;
  for (const term of terms) {
    let mantissa = term;
    let exponent = 600;
    while (!Number.isInteger(mantissa)) {
      mantissa *= 2;
      exponent--;
    }
    sum += BigInt(mantissa) << BigInt(exponent);
  }
  return sum;
}

const moderate = fc.double({ min: -1e30, max: 1e30, noNaN: true }).filter((v) => v === 0 || Math.abs(v) > 1e-30);
const pair = fc.tuple(moderate, fc.double({ min: -1, max: 1, noNaN: true })).map(([hi, r]): DoubleDouble => {
  const lo = hi * r * 2 ** -54;
  return Math.abs(lo) > 1e-60 ? [hi, lo] : [hi, 0];
});

/** |a - b| <= 2^-bits |b| */
function close(a: bigint, b: bigint, bits: bigint): boolean {
  const size = (v: bigint): bigint => (v < 0n ? -v : v);
  return size(a - b) << bits <= size(b);
}

describe("double-double arithmetic", () => {
  it("twoSum and twoProduct lose nothing", () => {
    fc.assert(
      fc.property(moderate, moderate, (a, b) => {
        expect(exact(...twoSum(a, b))).toBe(exact(a, b));
        expect(exact(...twoProduct(a, b)) << 600n).toBe(exact(a) * exact(b));
      }),
    );
  });

  // The papers' bounds are 3 u^2, 8 u^2 and 16 u^2 with u = 2^-53: 104, 103 and 102 bits.
  it("sums, products and quotients keep more than 100 bits", () => {
    fc.assert(
      fc.property(pair, pair, (a, b) => {
        const x = exact(...a);
        const y = exact(...b);
        if (a[0] * b[0] > 0) expect(close(exact(...add(a, b)), x + y, 104n)).toBe(true);
        expect(close(exact(...multiply(a, b)) << 600n, x * y, 103n)).toBe(true);
        if (b[0] !== 0) expect(close(exact(...divide(a, b)) * y, x << 600n, 102n)).toBe(true);
      }),
    );
  });
});
