import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  add,
  compare,
  divide,
  fromDouble,
  fromMpfr,
  multiply,
  nearestDouble,
  type Rational,
  rational,
  subtract,
} from "../../testing/exact-rational.ts";
import { type Enclosure, Enclosures } from "./enclosures.ts";
import { loadMpfr, type Mpfr } from "./mpfr.ts";

let mpfr: Mpfr;
let enclosures: Enclosures;
beforeAll(async () => {
  mpfr = await loadMpfr();
  enclosures = new Enclosures(mpfr);
});
afterAll(() => enclosures.destroy());

/** Doubles whose exact arithmetic stays cheap. */
const double = fc
  .double({ min: -(2 ** 90), max: 2 ** 90, noNaN: true })
  .filter((x) => x === 0 || Math.abs(x) > 2 ** -90);
const nonnegative = double.map(Math.abs);
const positive = nonnegative.filter((x) => x > 0);
const interval = (of: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
  fc.array(of, { minLength: 2, maxLength: 2 }).map((ends) => ends.toSorted((a, b) => a - b));

/** Enclosures of 55 bits with the given ends: few enough bits for every operation to round. */
function enclose(...ends: number[][]): Enclosure {
  enclosures.release(0);
  enclosures.setPrecision(55);
  const first = enclosures.allocate(ends.length + 1);
  ends.forEach(([low, high], i) => {
    mpfr.mpfr_set_d(enclosures.lower[first + i], low, 0);
    mpfr.mpfr_set_d(enclosures.upper[first + i], high, 0);
  });
  return first;
}
const lowerEnd = (e: Enclosure): Rational => fromMpfr(mpfr, enclosures.lower[e]);
const upperEnd = (e: Enclosure): Rational => fromMpfr(mpfr, enclosures.upper[e]);

/** Asserts that the ends are those of the exact result, rounded outward by less than a unit in the 55th place. */
function expectTightly(e: Enclosure, exact: Rational[]): void {
  const sorted = exact.toSorted(compare);
  const unit = (a: Rational): Rational =>
    multiply(a.numerator < 0n ? rational(-a.numerator, a.denominator) : a, rational(1n, 1n << 54n));
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  expect(compare(lowerEnd(e), low)).toBeLessThanOrEqual(0);
  expect(compare(upperEnd(e), high)).toBeGreaterThanOrEqual(0);
  expect(compare(subtract(low, lowerEnd(e)), unit(low))).toBeLessThanOrEqual(0);
  expect(compare(subtract(upperEnd(e), high), unit(high))).toBeLessThanOrEqual(0);
}

describe("operations on enclosures give the range of results, rounded outward by less than one unit", () => {
  const pairs = (a: number[], b: number[], of: (p: Rational, q: Rational) => Rational): Rational[] =>
    a.flatMap((p) => b.map((q) => of(fromDouble(p), fromDouble(q))));

  it.each([
    ["addition", interval(double), add, (r: number, a: number, b: number) => enclosures.add(r, a, b)],
    ["subtraction", interval(double), subtract, (r: number, a: number, b: number) => enclosures.subtract(r, a, b)],
    [
      "multiplication",
      interval(nonnegative),
      multiply,
      (r: number, a: number, b: number) => enclosures.multiply(r, a, b),
    ],
    ["division", interval(positive), divide, (r: number, a: number, b: number) => enclosures.divide(r, a, b)],
  ])("%s", (_, second, exact, operation) => {
    fc.assert(
      fc.property(interval(double), second, fc.integer({ min: 0, max: 2 }), (a, b, alias) => {
        const first = enclose(a, b);
        const r = [first + 2, first, first + 1][alias];
        operation(r, first, first + 1);
        expectTightly(r, pairs(a, b, exact));
      }),
    );
  });

  it("negation and scaling by a double", () => {
    fc.assert(
      fc.property(interval(double), double, (a, value) => {
        const first = enclose(a);
        enclosures.scale(first + 1, first, value);
        expectTightly(first + 1, pairs(a, [value], multiply));
        enclosures.negate(first, first);
        expectTightly(first, pairs(a, [-1], multiply));
      }),
    );
  });

  it("positive part and sign", () => {
    fc.assert(
      fc.property(interval(double), (a) => {
        const first = enclose(a);
        const signs = new Set(a.map(Math.sign).map((s) => s + 0));
        if (a[0] < 0 && a[1] > 0) signs.add(0);
        expect(enclosures.sign(first)).toBe(signs.size === 1 ? [...signs][0] : undefined);
        enclosures.positivePart(first + 1, first);
        expectTightly(
          first + 1,
          a.map((x) => fromDouble(Math.max(0, x))),
        );
      }),
    );
  });

  it("inner products in both directions, from nothing and accumulated", () => {
    const term = fc.tuple(interval(double), interval(nonnegative));
    fc.assert(
      fc.property(
        fc.array(term, { maxLength: 6 }),
        interval(double),
        fc.boolean(),
        fc.boolean(),
        (terms, start, back, more) => {
          const count = terms.length;
          const a = terms.map(([v]) => v);
          const first = enclose(...(back ? a.toReversed() : a), ...terms.map(([, v]) => v), start);
          const r = first + 2 * count;
          enclosures.dot(r, back ? first + count - 1 : first, back ? -1 : 1, first + count, count, more);
          const ends = [Math.min, Math.max].map((pick) =>
            terms.reduce(
              (total, [p, q]) => add(total, pairs(p, q, multiply).toSorted(compare)[pick === Math.min ? 0 : 3]),
              fromDouble(more ? pick(...start) : 0),
            ),
          );
          expect(compare(lowerEnd(r), ends[0])).toBeLessThanOrEqual(0);
          expect(compare(upperEnd(r), ends[1])).toBeGreaterThanOrEqual(0);
          // Each of at most 7 partial sums and 6 products rounds by a unit of at most the sum of magnitudes.
          const magnitude = terms.reduce(
            (total, [p, q]) => add(total, fromDouble(Math.max(...p.map(Math.abs)) * q[1] * (1 + 2 ** -50))),
            fromDouble(more ? Math.max(...start.map(Math.abs)) : 0),
          );
          const slack = multiply(magnitude, rational(14n, 1n << 54n));
          expect(compare(subtract(ends[0], lowerEnd(r)), slack)).toBeLessThanOrEqual(0);
          expect(compare(subtract(upperEnd(r), ends[1]), slack)).toBeLessThanOrEqual(0);
        },
      ),
    );
  });

  it("exponential and logarithms contain the values at 300 bits", () => {
    const exponent = fc.double({ min: -1e4, max: 1e4, noNaN: true });
    const functions = [
      [exponent, unary("exponential"), "mpfr_exp"],
      [positive, unary("logarithm"), "mpfr_log"],
      [positive, unary("logarithmOnePlus"), "mpfr_log1p"],
    ] as const;
    const precise = mpfr.mpfr_t();
    mpfr.mpfr_init2(precise, 300);
    for (const [argument, operation, reference] of functions) {
      fc.assert(
        fc.property(interval(argument), (a) => {
          const first = enclose(a);
          operation(first + 1, first);
          a.forEach((x, end) => {
            mpfr.mpfr_set_d(precise, x, 0);
            mpfr[reference](precise, precise, 0);
            const pointer = (end === 0 ? enclosures.lower : enclosures.upper)[first + 1];
            const side = mpfr.mpfr_cmp(pointer, precise);
            expect(end === 0 ? side <= 0 : side >= 0).toBe(true);
            mpfr.mpfr_reldiff(precise, precise, pointer, 4);
            expect(Math.abs(mpfr.mpfr_get_d(precise, 4)) <= 2 ** -54 || x === 0).toBe(true);
          });
        }),
      );
    }
    mpfr.mpfr_clear(precise);
    mpfr.mpfr_t_free(precise);
  });
});

function unary(name: "exponential" | "logarithm" | "logarithmOnePlus") {
  return (r: Enclosure, a: Enclosure): void => enclosures[name](r, a);
}

describe("exponents beyond MPFR's range", () => {
  it("an exponential that underflows is enclosed by 0 and a positive number", () => {
    const first = enclose([-1e9, -1e9]);
    enclosures.exponential(first, first);
    expect(mpfr.mpfr_zero_p(enclosures.lower[first])).not.toBe(0);
    expect(mpfr.mpfr_sgn(enclosures.upper[first])).toBe(1);
    expect(enclosures.round(first)).toBe(0);
  });

  it("a product that underflows is enclosed by 0 and a positive number", () => {
    const first = enclose([-7e8, -7e8]);
    enclosures.exponential(first, first);
    enclosures.multiply(first + 1, first, first);
    expect(mpfr.mpfr_zero_p(enclosures.lower[first + 1])).not.toBe(0);
    expect(mpfr.mpfr_sgn(enclosures.upper[first + 1])).toBe(1);
  });

  it("an exponential that overflows is enclosed by a finite number and infinity", () => {
    const first = enclose([1e9, 1e9]);
    enclosures.exponential(first, first);
    expect(mpfr.mpfr_number_p(enclosures.lower[first])).not.toBe(0);
    expect(mpfr.mpfr_inf_p(enclosures.upper[first])).not.toBe(0);
  });
});

describe("rounding an enclosure to double", () => {
  /** An enclosure of exactly numerator 2^exponent. */
  function encloseExactly(numerator: bigint, exponent: number): Enclosure {
    enclosures.release(0);
    enclosures.setPrecision(200);
    const e = enclosures.allocate(1);
    for (const pointer of [enclosures.lower[e], enclosures.upper[e]]) {
      mpfr.mpfr_set_string(pointer, numerator.toString(16), 16, 0);
      mpfr.mpfr_mul_2si(pointer, pointer, exponent, 0);
    }
    return e;
  }

  it("gives the nearest double, ties to even, subnormal, zero and infinite ones included", () => {
    const mantissa = fc.oneof(
      fc.bigInt({ min: -(2n ** 120n), max: 2n ** 120n }),
      // Doubles and midpoints of doubles, and their neighbours.
      fc
        .tuple(fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }), fc.integer({ min: -1, max: 1 }))
        .map(([m, delta]) => m * 2n ** 60n + BigInt(delta)),
    );
    const exponent = fc.oneof(
      fc.integer({ min: -1250, max: -1100 }),
      fc.integer({ min: -200, max: 200 }),
      fc.integer({ min: 890, max: 970 }),
    );
    fc.assert(
      fc.property(mantissa, exponent, (m, e) => {
        const exact = e < 0 ? rational(m, 1n << BigInt(-e)) : rational(m << BigInt(e));
        expect(enclosures.round(encloseExactly(m, e))).toBe(nearestDouble(exact));
      }),
      { numRuns: 500 },
    );
  });

  it("is undefined where the ends round differently", () => {
    expect(enclosures.round(enclose([1, 1 + 2 ** -52]))).toBeUndefined();
    expect(enclosures.round(enclose([-5e-324, 5e-324]))).toBeUndefined();
  });

  it("the centre of a narrow enclosure of a midpoint rounds to even", () => {
    for (const [odd, even] of [
      [2n ** 53n + 1n, 1],
      [2n ** 53n + 3n, 1 + 2 ** -51],
    ] as const) {
      const midpoint = encloseExactly(odd, -53);
      mpfr.mpfr_nextbelow(enclosures.lower[midpoint]);
      mpfr.mpfr_nextabove(enclosures.upper[midpoint]);
      expect(enclosures.round(midpoint)).toBeUndefined();
      expect(enclosures.roundCentre(midpoint, 100)).toBe(even);
    }
  });

  it("an excluded lower end rounds away from the midpoint it stood on", () => {
    const e = encloseExactly(2n ** 53n + 1n, -53);
    enclosures.excludeLower(e);
    mpfr.mpfr_nextabove(enclosures.upper[e]);
    expect(enclosures.round(e)).toBe(1 + 2 ** -52);
  });
});

it("refuses to change the precision under enclosures in use", () => {
  enclose([0, 0]);
  expect(() => enclosures.setPrecision(60)).toThrow("in use");
  enclosures.release(0);
});
