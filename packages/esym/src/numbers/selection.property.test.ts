import * as fc from "fast-check";
import { expect, it } from "vitest";
import { selectLargest } from "./selection.ts";

it("selects what sorting selects, with indices that point at it", () => {
  const entry = fc.oneof(
    fc.double({ noNaN: true, max: 1e308 }),
    fc.integer({ min: -3, max: 3 }),
    fc.constant(-Infinity),
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), fc.integer({ min: 0, max: 60 }), (array, m) => {
      const x = Float64Array.from(array);
      // Zeros of either sign are equal, in any order.
      const unsigned = (v: number): number => v + 0;
      const values = new Float64Array(m);
      const indices = new Int32Array(m);
      const count = selectLargest(x, x.length, m, values, indices);
      const sorted = array
        .filter((v) => v > -Infinity)
        .toSorted((a, b) => b - a)
        .slice(0, m)
        .map(unsigned);
      expect(Array.from(values.subarray(0, count), unsigned)).toEqual(sorted);
      expect(Array.from(indices.subarray(0, count), (i) => unsigned(array[i]))).toEqual(sorted);
      expect(new Set(indices.subarray(0, count)).size).toBe(count);
    }),
    { examples: [[[-0, 0], 2]] },
  );
});
