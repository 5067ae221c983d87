import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encloseFactors, type ExactFactor, exactProduct } from "../../testing/exact-factors.ts";
import { add, compare, fromMpfr, multiply, type Rational, rational } from "../../testing/exact-rational.ts";
import { Enclosures } from "./enclosures.ts";
import { loadMpfr } from "./mpfr.ts";
import { ProductTree } from "./product-tree.ts";

let enclosures: Enclosures;
beforeAll(async () => {
  enclosures = new Enclosures(await loadMpfr());
});
afterAll(() => enclosures.destroy());

/** Factors with integer coefficients: at 512 bits nothing below rounds, and enclosures are points. */
const integerFactor = fc
  .tuple(fc.bigInt({ min: 0n, max: 1000n }), fc.boolean())
  .map(([value, isAbove]): ExactFactor => ({ ratio: rational(value), isAbove }));
const integerFactors = fc.array(integerFactor, { minLength: 1, maxLength: 13 });

function start(): void {
  enclosures.release(0);
  enclosures.setPrecision(512);
}

function point(e: number): bigint {
  const low = fromMpfr(enclosures.mpfr, enclosures.lower[e]);
  const high = fromMpfr(enclosures.mpfr, enclosures.upper[e]);
  expect(compare(low, high)).toBe(0);
  expect(low.numerator % low.denominator).toBe(0n);
  return low.numerator / low.denominator;
}

const integer = (a: Rational | undefined): bigint => (a === undefined ? 0n : a.numerator / a.denominator);

function setIntegers(values: readonly bigint[]): number {
  const first = enclosures.allocate(values.length);
  values.forEach((v, i) => enclosures.setDouble(first + i, Number(v)));
  return first;
}

describe("on factors with integer coefficients, where nothing rounds,", () => {
  it("the product has the coefficients of the exact product, truncated", () => {
    fc.assert(
      fc.property(integerFactors, fc.integer({ min: 1, max: 14 }), (factors, degree) => {
        start();
        const tree = new ProductTree(enclosures, encloseFactors(enclosures, factors), degree);
        const exact = exactProduct(factors);
        for (let j = 0; j <= Math.min(degree, factors.length); j++) {
          expect(point(tree.coefficient(j))).toBe(integer(exact[j]));
        }
      }),
    );
  });

  it("the window of a factor holds the weighted sums of coefficients of the product of the others", () => {
    const signed = fc.bigInt({ min: -1000n, max: 1000n });
    fc.assert(
      fc.property(
        integerFactors,
        fc.array(signed, { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.boolean()),
        (factors, weights, width, flags) => {
          start();
          const wanted = Uint8Array.from(factors, () => (flags.next().value ? 1 : 0));
          const tree = new ProductTree(enclosures, encloseFactors(enclosures, factors), weights.length);
          const visited: number[] = [];
          const top = enclosures.mark();
          const first = setIntegers(weights);
          tree.visitOutside(first, weights.length, width, wanted, (i, window) => {
            visited.push(i);
            const others = exactProduct(factors.filter((_, other) => other !== i));
            for (let u = 0; u < width; u++) {
              const exact = weights.reduce((sum, weight, b) => sum + weight * integer(others[b - u]), 0n);
              expect(point(window + u)).toBe(exact);
            }
          });
          expect(visited).toEqual(factors.flatMap((_, i) => (wanted[i] === 1 ? [i] : [])));
          expect(enclosures.mark()).toBe(top + weights.length);
        },
      ),
    );
  });

  it("tangents are derivatives of the product and of the products of the others", () => {
    const direction = fc.infiniteStream(fc.bigInt({ min: -100n, max: 100n }));
    fc.assert(
      fc.property(integerFactors, direction, fc.integer({ min: 1, max: 14 }), (factors, stream, wish) => {
        start();
        const k = Math.min(wish, factors.length);
        const v = factors.map(() => stream.next().value as bigint);
        /** Derivative of the product of the kept factors when each coefficient of X grows at rate v times itself. */
        const derivative = (kept: number[]): Rational[] => {
          const sum = Array.from({ length: factors.length + 1 }, () => rational(0n));
          for (const l of kept) {
            const rest = exactProduct(kept.filter((i) => i !== l).map((i) => factors[i]));
            const linear = factors[l].isAbove ? rational(v[l]) : multiply(rational(v[l]), factors[l].ratio);
            rest.forEach((coefficient, j) => (sum[j + 1] = add(sum[j + 1], multiply(linear, coefficient))));
          }
          return sum;
        };
        const enclosed = encloseFactors(enclosures, factors);
        const tangents = setIntegers(
          factors.flatMap(({ ratio, isAbove }, i) => [0n, isAbove ? v[i] : v[i] * ratio.numerator]),
        );
        const tree = new ProductTree(enclosures, enclosed, k, tangents);
        const everyone = factors.map((_, i) => i);
        for (let j = 0; j <= k; j++) expect(point(tree.tangent(j))).toBe(integer(derivative(everyone)[j]));
        const weights = setIntegers(Array.from({ length: k + 1 }, (_, b) => (b === k ? 1n : 0n)));
        tree.visitOutside(weights, k + 1, 2, new Uint8Array(factors.length).fill(1), (i, window, tangent) => {
          const others = everyone.filter((other) => other !== i);
          const exact = exactProduct(others.map((other) => factors[other]));
          for (let u = 0; u < 2; u++) {
            expect(point(window + u)).toBe(integer(exact[k - u]));
            expect(point(tangent + u)).toBe(integer(derivative(others)[k - u]));
          }
        });
      }),
    );
  });
});

describe("on factors with rational coefficients", () => {
  it("coefficients are enclosed within 2^-500 of themselves", () => {
    const factor = fc
      .tuple(fc.bigInt({ min: 0n, max: 99n }), fc.bigInt({ min: 1n, max: 99n }), fc.boolean())
      .map(([p, q, isAbove]): ExactFactor => ({ ratio: rational(p, q), isAbove }));
    fc.assert(
      fc.property(fc.array(factor, { minLength: 1, maxLength: 9 }), (factors) => {
        start();
        const tree = new ProductTree(enclosures, encloseFactors(enclosures, factors), factors.length);
        exactProduct(factors).forEach((exact, j) => {
          const low = fromMpfr(enclosures.mpfr, enclosures.lower[tree.coefficient(j)]);
          const high = fromMpfr(enclosures.mpfr, enclosures.upper[tree.coefficient(j)]);
          expect(compare(low, exact)).toBeLessThanOrEqual(0);
          expect(compare(high, exact)).toBeGreaterThanOrEqual(0);
          // At most 9 roundings of each ratio, product and sum at 2^-511 each.
          expect(compare(high, multiply(low, rational(2n ** 500n + 1n, 2n ** 500n)))).toBeLessThanOrEqual(0);
        });
      }),
    );
  });
});
