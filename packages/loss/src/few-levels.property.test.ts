/**
 * Rows of one to five distinct values, each jittered by a few ulp: equal factors round alike, so that errors add up where
 * others average. The bound of the loss must hold all the same.
 */
import { errorInU } from "@smooth-topk/conformance";
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fewLevels } from "../testing/few-levels.ts";
import { smoothTopkLoss } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

it("the loss of rows with few distinct values is right to min(9, 8 + |z|) u", () => {
  fc.assert(
    fc.property(fewLevels(400), ({ s, y, k, tau, alpha }) => {
      const { loss } = oracle.smoothTopkLoss(s, y, { k, tau, alpha });
      fc.pre(loss >= 1e-300);
      // L = tau log1p(exp z)
      const z = loss / tau > 700 ? loss / tau : Math.log(Math.expm1(loss / tau));
      const error = errorInU(smoothTopkLoss(s, y, { k, tau, alpha }), loss);
      expect(error).toBeLessThanOrEqual(Math.min(9, 8 + Math.abs(z)));
    }),
    { numRuns: 150 },
  );
});

it("two levels, k at their edge: 11 of 380 and 12 of 0", () => {
  const s = [...new Array<number>(11).fill(380), ...new Array<number>(12).fill(0)];
  // The exact value, rounded.
  expect(errorInU(smoothTopkLoss(s, 0, { k: 10, alpha: 0 }), 0.09531017980432505)).toBeLessThanOrEqual(9);
});

it("two levels far apart: 501 of 10,000 and 499 of 0, k = 500", () => {
  const s = [...new Array<number>(501).fill(10_000), ...new Array<number>(499).fill(0)];
  const { loss } = oracle.smoothTopkLoss(s, 0, { k: 500, tau: 1, alpha: 0 });
  expect(errorInU(smoothTopkLoss(s, 0, { k: 500, alpha: 0 }), loss)).toBeLessThanOrEqual(9);
});
