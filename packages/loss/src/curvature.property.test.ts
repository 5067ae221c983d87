/**
 * The Hessian's bounds, and where the loss is convex: docs/properties.md, sections 6 and 7.
 *
 * Hessians are k^2 tau times those of the loss, so that their entries are covariances of at most 1/4, each right to
 * 64 k u by the error bound of logEspHvp; a difference of two to 128 k u. An eigenvalue of an n x n matrix moves by at
 * most n times that, and the decomposition adds less: `slack`. The inputs x = s / (k tau) are rounded, which gives the
 * Hessian of a neighbour; the statements hold there, too.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { covariance, eigenvalues, hessianOfLogRatio, scaledHessian } from "../testing/hessian.ts";
import { type Instance, instance, U } from "../testing/instances.ts";
import { smoothTopkLossValueAndGrad } from "./index.ts";

function slack({ s, k }: { readonly s: readonly number[]; readonly k: number }): number {
  return 256 * k * s.length * U;
}

/** The other classes' scores over k tau. */
function others({ s, y, k, tau }: Instance): number[] {
  return s.toSpliced(y, 1).map((v) => v / (k * tau));
}

/** w = -k dL/ds_y. */
function missed({ s, y, k, tau, alpha }: Instance): number {
  return -k * smoothTopkLossValueAndGrad(s, y, { k, tau, alpha }).grad.get(y);
}

describe("the Hessian", () => {
  it("is made of covariances that are never positive between two classes", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const matrix = covariance(others(c), c.k);
        matrix.forEach((row, i) => row.forEach((v, l) => expect(i === l ? -v : v).toBeLessThanOrEqual(slack(c))));
      }),
    );
  });

  it("has its eigenvalues within 1 / (2 k^2 tau) of 0", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const values = eigenvalues(scaledHessian(c));
        expect(values[0]).toBeGreaterThanOrEqual(-0.5 - slack(c));
        expect(values.at(-1)).toBeLessThanOrEqual(0.5 + slack(c));
      }),
    );
  });

  it("reaches both ends", () => {
    const tied = { s: [0, 0], y: 0, k: 1, tau: 2, alpha: 0 };
    expect(Math.abs(eigenvalues(scaledHessian(tied))[1] - 0.5)).toBeLessThanOrEqual(slack(tied));
    // w = 1 to the last digit.
    const missing = { s: [0, 0, 0], y: 0, k: 2, tau: 2, alpha: 100 };
    expect(Math.abs(eigenvalues(scaledHessian(missing))[0] + 0.5)).toBeLessThanOrEqual(slack(missing));
  });

  it("has the constant vector in its kernel", () => {
    fc.assert(
      fc.property(instance, (c) => {
        for (const row of scaledHessian(c)) {
          expect(Math.abs(row.reduce((sum, v) => sum + v, 0))).toBeLessThanOrEqual(slack(c));
        }
      }),
    );
  });

  it("is non-negative in the direction of the label, where it is w (1 - w)", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const w = missed(c);
        // k tau is rounded in x, which moves z by 2 u of the exponents, at most 2e4 here, and w by a quarter of that.
        const input = (4 * U * (Math.max(...c.s.map(Math.abs)) + c.k * c.alpha)) / (c.k * c.tau);
        expect(Math.abs(scaledHessian(c)[c.y][c.y] - w * (1 - w))).toBeLessThanOrEqual(slack(c) + input);
      }),
    );
  });
});

describe("convexity", () => {
  it("holds at k = 1", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const convex = { ...c, k: 1 };
        expect(eigenvalues(scaledHessian(convex))[0]).toBeGreaterThanOrEqual(-slack(convex));
      }),
    );
  });

  it("fails at n = 3, k = 2, s = 0 with the eigenvalue -w / (8 tau)", () => {
    fc.assert(
      fc.property(fc.constantFrom(0.1, 1, 10), fc.constantFrom(0, 0.5, 1), (tau, alpha) => {
        const c = { s: [0, 0, 0], y: 0, k: 2, tau, alpha };
        const odds = Math.exp(alpha / tau);
        expect(Math.abs(eigenvalues(scaledHessian(c))[0] + odds / (2 + odds) / 2)).toBeLessThanOrEqual(slack(c));
      }),
    );
  });

  it("fails for every k >= 2 once a class stands out", () => {
    const larger = instance.filter(({ s }) => s.length >= 3);
    fc.assert(
      fc.property(larger, fc.nat(), fc.nat(), (c, order, at) => {
        const k = 2 + (order % (c.s.length - 2));
        const x = others({ ...c, s: c.s.map((v) => v / 100), k, tau: 1 });
        const i = at % x.length;
        // Entries within 1 of one another but for this one: pi^(1) > 1/2, so pi^(2) + pi^(1) > 1, and the diagonal of
        // the Hessian of the log-ratio is negative there.
        x[i] = Math.max(...x) + Math.log(2 * x.length);
        const diagonal = hessianOfLogRatio(x, k)[i][i];
        expect(diagonal).toBeLessThan(0);
        expect(eigenvalues(hessianOfLogRatio(x, k))[0]).toBeLessThan(diagonal / 2);
      }),
    );
  });

  it("fails in the scores as far as in the log-ratio: between w lambda and w lambda / 2, and nowhere else", () => {
    fc.assert(
      fc.property(instance, (c) => {
        const w = missed(c);
        const lambda = eigenvalues(hessianOfLogRatio(others(c), c.k))[0];
        const smallest = eigenvalues(scaledHessian(c))[0];
        // w is that of the scores and the Hessian that of x: as far apart as above.
        const input = (4 * U * (Math.max(...c.s.map(Math.abs)) + c.k * c.alpha)) / (c.k * c.tau);
        expect(smallest).toBeGreaterThanOrEqual(w * Math.min(0, lambda) - slack(c) - input);
        expect(smallest).toBeLessThanOrEqual((w * Math.min(0, lambda)) / 2 + slack(c) + input);
      }),
    );
  });

  it("holds where all other classes tie if n >= 2k, with the eigenvalue (n - 2k) / ((n - 1) (n - 2)) of the log-ratio", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 16 }), fc.nat(), (n, order) => {
        const k = 1 + (order % (n - 1));
        const values = eigenvalues(
          hessianOfLogRatio(
            Array.from({ length: n - 1 }, () => 0.7),
            k,
          ),
        );
        const expected = (n - 2 * k) / ((n - 1) * (n - 2));
        const nearest = expected < 0 ? values.slice(0, -1) : values.slice(1);
        for (const value of nearest) expect(Math.abs(value - expected)).toBeLessThanOrEqual(256 * k * n * U);
      }),
    );
  });
});
