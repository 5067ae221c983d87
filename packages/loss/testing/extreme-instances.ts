/**
 * Losses at the ends of what is accepted.
 */
import * as fc from "fast-check";
import type { Instance } from "./instances.ts";

/** Temperatures 1e-3 to 1e3, scores up to 1e6 in size, ties, masks, a label at the top or the bottom or one class far above. */
export const extremeInstance: fc.Arbitrary<Instance> = fc
  .record({
    scale: fc.constantFrom(1e-3, 0.1, 1, 10, 100, 1e4, 1e6),
    entries: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
        { weight: 2, arbitrary: fc.constantFrom(0, 0.5, -0.5, 1) },
        { weight: 1, arbitrary: fc.constant(-Infinity) },
        { weight: 1, arbitrary: fc.constantFrom(-100, 100) },
      ),
      { minLength: 2, maxLength: 50 },
    ),
    y: fc.nat(),
    k: fc.oneof(fc.nat(), fc.integer({ min: 0, max: 4 })),
    tau: fc.oneof(fc.constantFrom(1e-3, 0.01, 0.1, 1, 10, 1e3), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
    alpha: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 10, noNaN: true })),
  })
  .map(({ scale, entries, y, k, tau, alpha }) => {
    const s = entries.map((v) => v * scale);
    const label = y % s.length;
    if (s[label] === -Infinity) s[label] = 0;
    return { s, y: label, k: 1 + (k % (s.length - 1)), tau, alpha };
  });
