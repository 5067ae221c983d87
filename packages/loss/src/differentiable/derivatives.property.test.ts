/**
 * Derivatives of order 2 and 3 against the oracle: docs/properties.md, section 6. In units of the exponents, those of the
 * loss over tau in x = s / (k tau) are cumulants of the k-subsets of all classes less those of the subsets with y.
 *
 * Scores, directions and steps are multiples of powers of two and so is k tau: the oracle gets the same x, unrounded.
 */
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { grad, hvp, mul, sum, type Tensor } from "@smooth-topk/grad";
import * as fc from "fast-check";
import ndarray, { type NdArray } from "ndarray";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Instance, U } from "../../testing/instances.ts";
import { composedSmoothTopkLoss } from "./composed/smooth-topk-loss.ts";
import { smoothTopkLoss } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

interface Case extends Instance {
  /** A direction with |v_i| <= 1 / k, so that |v(A)| <= 1 for every k-subset A. */
  readonly v: number[];
}

const entry = fc.integer({ min: -(2 ** 12), max: 2 ** 12 });
const instance: fc.Arbitrary<Case> = fc
  .record({
    spread: fc.constantFrom(2 ** -4, 1, 8),
    entries: fc.array(fc.record({ s: fc.oneof(entry, fc.constantFrom(0, 2 ** 12)), v: entry }), {
      minLength: 2,
      maxLength: 10,
    }),
    y: fc.nat(),
    order: fc.constantFrom(1, 2, 4, 8),
    tau: fc.constantFrom(2 ** -6, 1, 16),
    alpha: fc.constantFrom(0, 0.5, 1),
  })
  .map(({ spread, entries, y, order, tau, alpha }) => {
    const k = order < entries.length ? order : 1;
    return {
      s: entries.map(({ s }) => (s / 2 ** 12) * spread * k * tau),
      y: y % entries.length,
      k,
      tau,
      // alpha tau keeps alpha / tau moderate, and exact.
      alpha: alpha * tau,
      v: entries.map(({ v }) => v / 2 ** 12 / k),
    };
  });

/** kappa([i in A], v(A)) over all k-subsets less that over those with y, at x + t v: correctly rounded terms. */
function covariances({ s, y, k, tau, alpha, v }: Case, t = 0): number[] {
  const x = s.map((score, i) => score / (k * tau) + t * v[i] - (i === y ? alpha / tau : 0));
  const all = oracle.logEspHvp(x, k, v);
  const held = oracle.logEspHvp(x.with(y, -Infinity), k - 1, v);
  return Array.from(all, (c, i) => c - held[i]);
}

function array(values: readonly number[]): NdArray<Float64Array> {
  return ndarray(Float64Array.from(values), [values.length]);
}

describe.each([
  { form: "composed", loss: composedSmoothTopkLoss },
  { form: "fused", loss: smoothTopkLoss },
])("$form", ({ loss }) => {
  // Two Hessians of log sigma within 64 k u (max v - min v) / 4 each, and their inputs: x is rounded three times on the
  // way, at up to 16 from its centre, which moves an indicator's covariance with v by less than its third cumulant, at
  // most 2, times 3 u 16. The rank-one part is right to the slopes' 16 k u. In all well below 256 k u.
  it("the Hessian times v is a difference of covariances, within 256 k u", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, tau, alpha, v } = c;
        const product = hvp((x: Tensor) => loss(x, y, { k, tau, alpha }), array(s), array(v)) as NdArray;
        covariances(c).forEach((expected, i) => {
          expect(Math.abs(k * k * tau * product.get(i) - expected)).toBeLessThanOrEqual(256 * k * U);
        });
      }),
    );
  });

  // The step's error is h^2 / 6 times the derivative of order 5, a difference of two joint cumulants of four variables v(A)
  // in [-1, 1] and an indicator, which is the same less 1/2: each a sum of moments with coefficients that add up to 150, so at
  // most 75. That makes 25 h^2. The oracle's four values are at most 1 and rounded once: 4 u / (2 h). The third derivative
  // itself is promised to a small multiple of n u k^(3/2) here: 1024 n k u is far more, and far below the rest.
  it("the third derivative in v and v is that of the covariances by differences, within 25 h^2 + 2 u / h", () => {
    const h = 2 ** -19;
    fc.assert(
      fc.property(instance, (c) => {
        const { s, y, k, tau, alpha, v } = c;
        const f = (x: Tensor): Tensor => loss(x, y, { k, tau, alpha });
        const curvature = (x: Tensor): Tensor => sum(mul(hvp(f, x, array(v)), array(v)));
        const third = grad(curvature)(array(s)) as NdArray;
        const [above, below] = [covariances(c, h), covariances(c, -h)];
        const bound = 25 * h * h + (2 * U) / h + 1024 * s.length * k * U;
        above.forEach((value, i) => {
          const expected = (value - below[i]) / (2 * h);
          expect(Math.abs(k ** 3 * tau ** 2 * third.get(i) - expected)).toBeLessThanOrEqual(bound);
        });
      }),
    );
  });

  it("the derivatives of order 1, 2 and 3 sum to 0: a common shift changes nothing", () => {
    fc.assert(
      fc.property(instance, ({ s, y, k, tau, alpha, v }) => {
        const f = (x: Tensor): Tensor => loss(x, y, { k, tau, alpha });
        const slope = grad(f);
        const product = (x: Tensor): Tensor => hvp(f, x, array(v));
        const third = grad((x: Tensor) => sum(mul(product(x), array(v))));
        const total = (g: Tensor): number => (sum(g) as NdArray).get();
        const x = array(s);
        // n entries of at most 1, to the errors above.
        const bound = 1024 * s.length * k * U * s.length;
        expect(Math.abs(k * total(slope(x)))).toBeLessThanOrEqual(bound);
        expect(Math.abs(k * k * tau * total(product(x)))).toBeLessThanOrEqual(bound);
        expect(Math.abs(k ** 3 * tau ** 2 * total(third(x)))).toBeLessThanOrEqual(bound);
      }),
    );
  });
});
