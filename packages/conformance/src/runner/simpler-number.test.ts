import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { significantBits, simplerNumber, simplerThan } from "./simpler-number.ts";

const number = fc.double({ noNaN: true, noDefaultInfinity: true });

describe("numbers shrink", () => {
  it("to fewer bits, or as many and a smaller size: no chain of candidates is without end", () => {
    fc.assert(
      fc.property(number, (x) => {
        for (const y of simplerThan(x)) {
          const [before, after] = [significantBits(x), significantBits(y)];
          expect(after < before || (after === before && Math.abs(y) < Math.abs(x))).toBe(true);
        }
      }),
    );
  });

  it("to the simplest that still fails", async () => {
    const property = fc.property(simplerNumber(), (x) => x < 10.3);
    const { counterexample } = fc.check(property, { examples: [[123.456]], numRuns: 1 });
    // 16 is the first power of 2 above; one bit is the fewest.
    expect(counterexample).toEqual([16]);
  });

  it.each([
    [0, 0],
    [1, 1],
    [-6, 2],
    [0.625, 3],
    [0.1, 52],
    [2 ** 53 - 1, 53],
  ])("%d has %i significant bits", (x, bits) => {
    expect(significantBits(x)).toBe(bits);
  });
});
