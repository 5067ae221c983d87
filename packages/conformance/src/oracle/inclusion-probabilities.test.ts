import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encloseFactors, type ExactFactor, exactInclusion } from "../../testing/exact-factors.ts";
import { nearestDouble, rational } from "../../testing/exact-rational.ts";
import { Enclosures } from "./enclosures.ts";
import { inclusionOfFactors } from "./inclusion-probabilities.ts";
import { loadMpfr } from "./mpfr.ts";
import { toDouble } from "./rounding.ts";

let enclosures: Enclosures;
beforeAll(async () => {
  enclosures = new Enclosures(await loadMpfr());
});
afterAll(() => enclosures.destroy());

function expectExact(factors: readonly ExactFactor[], k: number): void {
  const wanted = new Uint8Array(factors.length).fill(1);
  const rounded = inclusionOfFactors(enclosures, toDouble, k, wanted, () => encloseFactors(enclosures, factors));
  expect([...rounded]).toEqual(exactInclusion(factors, k).map(nearestDouble));
}

it("probabilities for integer weights are the exact rationals, rounded once", () => {
  const weight = fc.oneof(fc.bigInt({ min: 1n, max: 9n }), fc.bigInt({ min: 1n, max: 10n ** 40n }));
  fc.assert(
    fc.property(fc.array(weight, { minLength: 1, maxLength: 9 }), fc.nat(), (weights, wish) => {
      expectExact(
        weights.map((w) => ({ ratio: rational(w), isAbove: false })),
        1 + (wish % weights.length),
      );
    }),
  );
});

it("probabilities for weights on both sides of a centre are the exact rationals, rounded once", () => {
  const factor = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.boolean())
    .map(([p, more, isAbove]): ExactFactor => ({ ratio: rational(p, p + more), isAbove }));
  fc.assert(
    fc.property(fc.array(factor, { minLength: 1, maxLength: 8 }), fc.nat(), (factors, wish) => {
      expectExact(factors, 1 + (wish % factors.length));
    }),
  );
});
