import { errorInU } from "@smooth-topk/conformance";
import { expect } from "vitest";

/** Entries below 1e-280 are outside the contract; they must be about as small here. */
export function expectEntries(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(expected[i]) >= 1e-280) expect(errorInU(actual[i], expected[i])).toBeLessThanOrEqual(bound);
    else expect(Math.abs(actual[i])).toBeLessThan(2e-280);
  }
}
