/**
 * The two sources of the log-odds say the same: the kernel, for the value and the slopes, and the formula in primitives,
 * for the derivatives beyond.
 */
import { grad, reshape, type Tensor } from "@smooth-topk/grad";
import * as fc from "fast-check";
import ndarray, { type NdArray } from "ndarray";
import { expect, it } from "vitest";
import { instance, kthOther, U } from "../../../testing/instances.ts";
import { composedLogOdds, logOdds } from "./log-odds.ts";

// In the formula, exponents are rounded three times, as is the margin, and the logarithm and the sums once: 8 u of the
// sizes. Slopes move with the exponents that they depend on, relative to themselves.
it("values within 8 u of the exponents, slopes within 128 k u and 8 u times the exponents", () => {
  fc.assert(
    fc.property(instance, (c) => {
      const { s, y, k, tau, alpha } = c;
      const n = s.length;
      const labels = Int32Array.of(y);
      const centre = kthOther(c);
      const row = ndarray(Float64Array.from(s), [1, n]);
      const byFormula = (x: Tensor): Tensor =>
        reshape(composedLogOdds(x, labels, k, tau, alpha, Float64Array.of(centre)), []);
      const byKernel = (x: Tensor): Tensor => reshape(logOdds(x, labels, k, tau, alpha).z, []);
      const z = (byKernel(row) as NdArray).get();
      const exponent = Math.max(...s.map((v) => Math.abs(v - centre))) / (k * tau) + Math.abs(alpha) / tau;
      const bound = 8 * U * (exponent + Math.abs(z) + Math.log(n) + 2);
      expect(Math.abs((byFormula(row) as NdArray).get() - z)).toBeLessThanOrEqual(bound);
      const [expected, actual] = [grad(byKernel)(row), grad(byFormula)(row)];
      for (let i = 0; i < n; i++) {
        const slope = Math.abs(expected.get(0, i));
        const error = Math.abs(actual.get(0, i) - expected.get(0, i));
        expect(error).toBeLessThanOrEqual((128 * k + 8 * exponent) * U * slope + 1e-280);
      }
    }),
  );
});

it("rest is what the rounded value lacks: it is below a rounding of it", () => {
  fc.assert(
    fc.property(instance, ({ s, y, k, tau, alpha }) => {
      const { z, rest } = logOdds(ndarray(Float64Array.from(s), [1, s.length]), Int32Array.of(y), k, tau, alpha);
      // Half a unit of z, and the errors of the logarithm and the ratio.
      const size = Math.abs((z as NdArray).get(0)) + Math.log(s.length) + 8;
      expect(Math.abs(rest.get(0))).toBeLessThanOrEqual(2 * U * size);
    }),
  );
});
