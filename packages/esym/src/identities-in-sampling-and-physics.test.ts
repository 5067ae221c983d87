/**
 * The identities of docs/poisson-binomial.md in point processes, gradient estimation and physics.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  U,
  covariance,
  dot,
  expectLog,
  expectWithin,
  exponents,
  has,
  inclusionBound,
  logs,
  pick,
  subsets,
  sum,
  total,
  weights,
} from "../testing/exact-subsets.ts";
import { inclusionProbabilities, logEsp, logEspHvp, logEspRatio } from "./index.ts";

describe("k-DPP", () => {
  /** I - s s^T / 2 on four of six coordinates, signs s: orthogonal, entries multiples of 1/2. */
  function reflection(signs: readonly number[], first: number): number[][] {
    const s = Array.from({ length: 6 }, (_, i) => signs[i - first] ?? 0);
    return s.map((a, i) => s.map((b, l) => (i === l ? 1 : 0) - (a * b) / 2));
  }
  const times = (a: number[][], b: number[][]): number[][] =>
    a.map((row) => b[0].map((_, l) => sum(row.map((v, m) => v * b[m][l]))));
  function determinant(m: number[][]): number {
    if (m.length === 0) return 1;
    return sum(
      m.map((row, i) => {
        const minor = m.filter((_, l) => l !== i).map((r) => r.slice(1));
        return (i % 2 === 0 ? 1 : -1) * row[0] * determinant(minor);
      }),
    );
  }
  const sign = fc.constantFrom(-1, 1);
  const kernel = fc.record({
    lambda: fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: 6, maxLength: 6 })
      .filter((v) => v.filter((l) => l > 0).length >= 5),
    k: fc.integer({ min: 1, max: 5 }),
    first: fc.array(sign, { minLength: 4, maxLength: 4 }),
    second: fc.array(sign, { minLength: 4, maxLength: 4 }),
  });
  /** L = V diag(lambda) V^T: multiples of 1/16 below 10, so that minors of order 5 are exact (43 bits). */
  function decompose(c: { lambda: number[]; first: number[]; second: number[] }): {
    vectors: number[][];
    l: number[][];
  } {
    const vectors = times(reflection(c.first, 0), reflection(c.second, 2));
    const scaled = vectors.map((row) => row.map((v, m) => v * c.lambda[m]));
    return {
      vectors,
      l: times(
        scaled,
        vectors[0].map((_, i) => vectors.map((row) => row[i])),
      ),
    };
  }
  const minor = (l: number[][], a: number[]): number => determinant(a.map((i) => a.map((m) => l[i][m])));

  it("the sum of the principal minors of order k is sigma_k of the eigenvalues", () => {
    fc.assert(
      fc.property(kernel, (c) => {
        const { l } = decompose(c);
        const minors = sum(subsets(6, c.k).map((a) => minor(l, a)));
        expect(minors).toBe(total(c.lambda, c.k));
        expectLog(logEsp(logs(c.lambda), c.k).data[c.k], minors, c.k);
      }),
    );
  });

  it("item i is drawn with probability sum_m pi_m v_mi^2, pi_m the selection probability of eigenvector m", () => {
    fc.assert(
      fc.property(kernel, (c) => {
        const { vectors, l } = decompose(c);
        const pi = inclusionProbabilities(logs(c.lambda), c.k).data;
        const all = sum(subsets(6, c.k).map((a) => minor(l, a)));
        for (let i = 0; i < 6; i++) {
          const holding = subsets(6, c.k).filter((a) => a.includes(i));
          const expected = sum(holding.map((a) => minor(l, a))) / all;
          // Squares of multiples of 1/4 are exact; 6 products and 5 additions of positive terms.
          const actual = dot(
            pi,
            vectors[i].map((v) => v * v),
          );
          expectWithin(actual, expected, (inclusionBound(c.k) + 11 * U) * expected);
        }
      }),
    );
  });
});

describe("k-subset sampling and SIMPLE", () => {
  it("H v is the gradient of E[v(z)]: the estimator is exact for a linear loss", () => {
    const problem = weights.chain((w) =>
      fc.record({
        w: fc.constant(w),
        v: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: w.e.length, maxLength: w.e.length }),
      }),
    );
    fc.assert(
      fc.property(problem, ({ w: { e, k }, v }) => {
        const estimate = logEspHvp(logs(e), k, v).data;
        const range = Math.max(...v) - Math.min(...v);
        e.forEach((_, i) => {
          // The score function: grad E[loss] = E[loss(A) grad log P(A)], with d log P(A) / d x_i = [i in A] - pi_i.
          const expected = covariance(e, k, has(i), (a) => sum(pick(v, a)));
          const variance = covariance(e, k, has(i), has(i));
          expectWithin(
            estimate[i],
            expected,
            (64 * k + 16 * k * k) * U * range * variance + 4 * U * Math.abs(expected),
          );
        });
      }),
    );
  });

  it("is not Plackett-Luce sampling, which the Gumbel top-k trick does", () => {
    // Weights 3, 2, 1, two draws without replacement: P(first item) = 3/6 + 2/6 3/4 + 1/6 3/5, an exact 0.85.
    const e = [3, 2, 1];
    const plackettLuce = 3 / 6 + (2 / 6) * (3 / 4) + (1 / 6) * (3 / 5);
    expectWithin(plackettLuce, 0.85, 8 * U);
    expectWithin(inclusionProbabilities(logs(e), 2).data[0], 9 / 11, inclusionBound(2));
  });
});

describe("fermions at fixed number", () => {
  it("the canonical partition function, occupations and their covariances are sigma_N, pi and H", () => {
    fc.assert(
      fc.property(exponents, fc.nat(), ({ z: energy, k: particles }, at) => {
        const n = energy.length;
        const l = at % n;
        const x = energy.map((v) => -v * Math.LN2); // beta = log 2
        // Sum over all 2^n occupations with that number of particles: bits of a mask.
        const states = Array.from({ length: 2 ** n }, (_, mask) => energy.map((__, i) => (mask >> i) & 1));
        const kept = states.filter((s) => sum(s) === particles);
        const boltzmann = kept.map((s) => 2 ** -dot(s, energy));
        const z = sum(boltzmann);
        expectLog(logEsp(x, particles).data[particles], z, particles);
        const occupation = inclusionProbabilities(x, particles).data;
        const hessian = logEspHvp(
          x,
          particles,
          energy.map((_, i) => (i === l ? 1 : 0)),
        ).data;
        const first = sum(kept.map((s, a) => s[l] * boltzmann[a]));
        energy.forEach((_, i) => {
          const own = sum(kept.map((s, a) => s[i] * boltzmann[a]));
          const both = sum(kept.map((s, a) => s[i] * s[l] * boltzmann[a]));
          expectWithin(occupation[i], own / z, inclusionBound(particles) * (own / z));
          const variance = ((own / z) * (z - own)) / z;
          const covarianceBound = (64 * particles + 16 * particles ** 2) * variance;
          expectWithin(hessian[i], (z * both - own * first) / z ** 2, (covarianceBound + 4) * U);
        });
      }),
    );
  });

  it("log Z_N - log Z_{N-1} is the log-ratio, its gradient the difference of the occupations", () => {
    fc.assert(
      fc.property(weights, ({ e, k }) => {
        const { value, grad } = logEspRatio(logs(e), k);
        const exact = total(e, k) / total(e, k - 1);
        // 8 u of max(1, |value|, |x_(k)| <= 2.2) promised; 4 u of the header, for the gradient is positive of sum 1.
        expectWithin(value.data[0], Math.log(exact), (10 * Math.max(2.2, Math.abs(Math.log(exact))) + 6) * U);
        const g = e.map((_, i) => total(e, k, has(i)) * total(e, k - 1) - total(e, k - 1, has(i)) * total(e, k));
        const size = total(e, k) * total(e, k - 1);
        // 64 k u promised; log g_i moves with x as log e_i, the bracket of degree 2 k - 2 and log sigma_k sigma_{k-1} do,
        // positive polynomials all: by 4 (1 + 2 k + 2 k) u at most for terms that do not cancel, k times that by Newton.
        grad.data.forEach((v, i) =>
          expectWithin(v, g[i] / size, (64 * k + 4 * k * (4 * k + 1) + 2) * U * (g[i] / size)),
        );
      }),
    );
  });

  it("sigma and the boson polynomials h are tied by sum_j (-1)^j sigma_j h_{N-j} = 0", () => {
    fc.assert(
      fc.property(weights, ({ e, k }) => {
        // h by its own recursion over the levels, in integers: h_N(e_1..e_i) = h_N(e_1..e_{i-1}) + e_i h_{N-1}(e_1..e_i).
        const h = [1, ...Array.from({ length: k }, () => 0)];
        for (const v of e) for (let m = 1; m <= k; m++) h[m] += v * h[m - 1];
        const terms = Array.from(logEsp(logs(e), k).data, (v, j) => Math.exp(v) * h[k - j]);
        const logSize = Math.max(1, ...logEsp(logs(e), k).data);
        // exp of a logarithm to (2 |log| + 4 k) u; k + 1 additions.
        const bound = (2 * logSize + 4 * k + 4 + k) * U * sum(terms);
        expectWithin(sum(terms.map((v, j) => (j % 2 === 0 ? v : -v))), 0, bound);
      }),
    );
  });
});
