import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  emptyPartial,
  type EspPartial,
  espPartial,
  inclusionProbabilities,
  logEsp,
  logEspOfPartial,
  logEspVjp,
  logEspVjpOfShard,
  mergePartials,
} from "./index.ts";

const U = 2 ** -53;

const shard = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.double({ min: -30, max: 30, noNaN: true }) },
    { weight: 1, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(-Infinity) },
  ),
  { maxLength: 25 },
);
const shards = fc.array(shard, { minLength: 1, maxLength: 6 });
const order = fc.integer({ min: 0, max: 12 });

/** Partials carry 98 bits or more: their values differ in the last digit of a double at most. */
function expectSame(a: EspPartial, b: EspPartial): void {
  const x = logEspOfPartial(a).data;
  const y = logEspOfPartial(b).data;
  for (let j = 0; j <= a.k; j++) {
    if (x[j] !== y[j]) expect(Math.abs(x[j] - y[j])).toBeLessThanOrEqual(2 * U * Math.max(1, Math.abs(x[j])));
  }
}

describe("partials", () => {
  it("merge to what the whole row gives, however it is split", () => {
    fc.assert(
      fc.property(shards, order, (parts, k) => {
        const merged = parts.map((x) => espPartial(x, k)).reduce(mergePartials);
        expectSame(merged, espPartial(parts.flat(), k));
        const whole = parts.flat();
        if (k <= whole.length)
          expect([...logEspOfPartial(espPartial(whole, k)).data]).toEqual([...logEsp(whole, k).data]);
      }),
    );
  });

  it("merge associatively and commutatively, with the empty partial neutral", () => {
    fc.assert(
      fc.property(shard, shard, shard, order, (x, y, z, k) => {
        const a = espPartial(x, k);
        const b = espPartial(y, k);
        const c = espPartial(z, k);
        expectSame(mergePartials(a, b), mergePartials(b, a));
        expectSame(mergePartials(mergePartials(a, b), c), mergePartials(a, mergePartials(b, c)));
        expectSame(mergePartials(a, emptyPartial(k)), a);
      }),
    );
  });

  it("survive being sent as plain data", () => {
    const p = espPartial([1, 2, 3], 2);
    expectSame(structuredClone(p), p);
  });

  it("carry the backward pass: each shard's gradient from the partial of the others", () => {
    fc.assert(
      fc.property(shards, order, fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })), (parts, k, stream) => {
        const whole = parts.flat();
        fc.pre(k <= whole.length);
        const v = Array.from({ length: k + 1 }, () => stream.next().value as number);
        const partials = parts.map((x) => espPartial(x, k));
        const expected = logEspVjp(whole, k, v).data;
        const sizes = logEspVjp(whole, k, v.map(Math.abs)).data;
        let at = 0;
        parts.forEach((x, p) => {
          const outside = partials.filter((_, q) => q !== p).reduce(mergePartials, emptyPartial(k));
          for (const g of logEspVjpOfShard(x, v, outside).data) {
            expect(Math.abs(g - expected[at])).toBeLessThanOrEqual((16 * k + 16) * U * sizes[at] + 1e-280);
            at++;
          }
        });
      }),
    );
  });

  it("give inclusion probabilities of a shard in the whole row", () => {
    const x = [1, -2, 0.5, 3];
    const y = [0, 2, -1];
    const pi = logEspVjpOfShard(x, [0, 0, 0, 1], espPartial(y, 3)).data;
    const whole = inclusionProbabilities([...x, ...y], 3).data;
    for (let i = 0; i < x.length; i++) expect(Math.abs(pi[i] / whole[i] - 1)).toBeLessThanOrEqual(64 * U);
  });
});
