import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { topkAccuracy } from "./index.ts";

describe("top-k accuracy", () => {
  it("is what a stable descending sort says, ties to the lower index", () => {
    const entry = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ noNaN: true, min: -5, max: 5 }));
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(), (s, y, order) => {
        const label = y % s.length;
        const k = 1 + (order % s.length);
        const ranked = s.map((_, i) => i).toSorted((a, b) => s[b] - s[a] || a - b);
        expect(topkAccuracy(s, label, { k })).toBe(ranked.slice(0, k).includes(label) ? 1 : 0);
      }),
    );
  });

  it("of constant scores is not 1: only the first k indices count", () => {
    const rows = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
    expect(
      topkAccuracy(
        rows,
        rows.map((_, i) => i),
        { k: 3 },
      ),
    ).toBe(0.3);
  });
});
