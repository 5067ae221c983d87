/**
 * The identities of docs/poisson-binomial.md in statistics: distributions, designs and likelihoods.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  U,
  choose,
  covariance,
  dot,
  expectLog,
  expectWithin,
  exponents,
  has,
  inclusionBound,
  logs,
  mean,
  pick,
  product,
  subsets,
  sum,
  total,
  weights,
} from "../testing/exact-subsets.ts";
import { inclusionProbabilities, logEsp, logEspHvp, logEspVjp } from "./index.ts";

describe("Poisson-binomial", () => {
  const probabilities = fc.array(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), { minLength: 1, maxLength: 40 });
  const logOdds = (p: readonly number[]): number[] => p.map((v) => Math.log(v) - Math.log1p(-v));
  const logNone = (p: readonly number[]): number => sum(p.map((v) => Math.log1p(-v)));
  /** One trial after another: 3 roundings each of positive terms, relative error 3 n u. */
  function convolution(p: readonly number[]): number[] {
    let pmf = [1];
    for (const v of p) pmf = [...pmf, 0].map((q, j) => q * (1 - v) + (j > 0 ? pmf[j - 1] * v : 0));
    return pmf;
  }
  // With S = sum |log p_i| + |log(1 - p_i)|: x errs by 3 u S in all, which moves every log sigma_j by no more;
  // |log sigma_j| <= S + n; logEsp adds 2 u (1 + S + n), the sum of logarithms (n + 2) u S, the addition u (S + n), the
  // exponential 2 u, the convolution 3 n u: below ((n + 8) S + 6 n + 4) u, and a little for products of errors.
  const bound = (p: readonly number[]): number => {
    const size = sum(p.map((v) => Math.abs(Math.log(v)) + Math.abs(Math.log1p(-v))));
    return 1.001 * ((p.length + 8) * size + 6 * p.length + 4) * U;
  };

  it("PMF(j) is sigma_j of the odds, times prod (1 - p_i)", () => {
    fc.assert(
      fc.property(probabilities, (p) => {
        const logSigma = logEsp(logOdds(p), p.length).data;
        convolution(p).forEach((expected, j) => {
          fc.pre(expected > 1e-290);
          expectWithin(Math.exp(logSigma[j] + logNone(p)), expected, bound(p) * expected);
        });
      }),
    );
  });

  it("the logarithm of the CDF is log sigma_1 of the logarithms of the PMF", () => {
    fc.assert(
      fc.property(probabilities, fc.nat(), (p, at) => {
        const j = at % (p.length + 1);
        const logPmf = logEsp(logOdds(p), p.length).data.map((v) => v + logNone(p));
        const expected = sum(convolution(p).slice(0, j + 1));
        fc.pre(expected > 1e-290);
        const actual = logEsp(logPmf.subarray(0, j + 1), 1).data[1];
        // j additions of positive terms; 2 u |log| promised, 2 u |log| for the expected one; log 1 = 0 may cancel.
        const logBound = bound(p) + (p.length + 4 * Math.max(1, Math.abs(actual))) * U;
        expectWithin(actual, Math.log(expected), logBound);
      }),
    );
  });
});

describe("conditional Bernoulli sampling", () => {
  it("rejecting independent draws with odds e_i until k succeed gives entry i its inclusion probability", () => {
    fc.assert(
      fc.property(weights, ({ e, k }) => {
        const p = e.map((v) => v / (1 + v));
        const draw = (a: number[]): number => product(p.map((v, i) => (a.includes(i) ? v : 1 - v)));
        const kept = subsets(e.length, k);
        const pi = inclusionProbabilities(logs(e), k).data;
        e.forEach((_, i) => {
          const expected = sum(kept.filter((a) => a.includes(i)).map(draw)) / sum(kept.map(draw));
          // Factors: p one rounding, 1 - p = 1 / (1 + e) at most 10 u more by cancellation of 9/10; n products; two sums.
          const roundings = 2 * (12 * e.length + kept.length) + 1;
          expectWithin(pi[i], expected, inclusionBound(k) * expected + roundings * U * expected);
        });
      }),
    );
  });

  it("second-order inclusion probabilities are pi_i pi_l + H_il, below pi_i pi_l", () => {
    fc.assert(
      fc.property(weights, fc.nat(), ({ e, k }, at) => {
        const i = at % e.length;
        const unit = e.map((_, l) => (l === i ? 1 : 0));
        const pi = inclusionProbabilities(logs(e), k).data;
        const column = logEspHvp(logs(e), k, unit).data;
        e.forEach((_, l) => {
          if (l === i) return;
          const expected = mean(e, k, (a) => has(i)(a) * has(l)(a));
          const variance = pi[l] * (1 - pi[l]);
          // H: 64 k u promised and 16 k^2 u of the header, times H_ll; the product twice the bound of pi; 3 roundings.
          const bound = (64 * k + 16 * k * k) * U * variance + (2 * inclusionBound(k) + 3 * U) * pi[i] * pi[l];
          expectWithin(pi[i] * pi[l] + column[l], expected, bound);
          expect(column[l]).toBeLessThanOrEqual((64 * k + 16 * k * k) * U * variance);
        });
      }),
    );
  });

  it("weights are found from inclusion probabilities by iterative proportional fitting", () => {
    fc.assert(
      fc.property(weights, ({ e, k }) => {
        const present = e.filter((v) => v > 0);
        fc.pre(k < present.length);
        const target = inclusionProbabilities(logs(present), k).data;
        let x = present.map(() => 0);
        let misfit = Infinity;
        // The stopping criterion is the tolerance; rounding alone leaves 64 k u, far below it.
        for (let round = 0; round < 5000 && misfit > 1e-10; round++) {
          const pi = inclusionProbabilities(x, k).data;
          misfit = Math.max(...present.map((_, i) => Math.abs(Math.log(target[i] / pi[i]))));
          x = x.map((v, i) => v + Math.log(target[i] / pi[i]));
        }
        expect(misfit).toBeLessThanOrEqual(1e-10);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the Rasch model", () => {
  it("given the sum score, a pattern of answers has probability exp(-beta(A)) / gamma_r, at any ability", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 5 }), fc.nat(), ({ e, k: r }, ability, at) => {
        const patterns = subsets(e.length, r);
        const answers = (a: number[]): number =>
          product(e.map((v, i) => (a.includes(i) ? ability * v : 1) / (1 + ability * v)));
        const pattern = patterns[at % patterns.length];
        const expected = answers(pattern) / sum(patterns.map(answers));
        const x = logs(e);
        const actual = Math.exp(sum(pick(x, pattern)) - logEsp(x, r).data[r]);
        // The model: 2 n roundings a pattern, its sum C(n, r). Ours: x(A) 4 r u and r additions of at most 2.2 r, in all
        // 2.2 r^2 u; log gamma_r <= log C(8, 4) + 2.2 r with 2 u of it and 4 r u; a difference; an exponential.
        const roundings = 4 * e.length + patterns.length + 2 + (2.2 * r * r + 17 * r + 20);
        expectWithin(actual, expected, roundings * U * expected);
      }),
    );
  });

  it("the gradient of the conditional likelihood is one vjp over the score groups, less the right answers", () => {
    const data = weights.chain(({ e }) => {
      const items = e.map((_, i) => i).filter((i) => e[i] > 0);
      const pattern = fc.subarray(items);
      return fc.record({ e: fc.constant(e), persons: fc.array(pattern, { minLength: 1, maxLength: 20 }) });
    });
    fc.assert(
      fc.property(data, ({ e, persons }) => {
        const n = e.length;
        const groups = Array.from({ length: n + 1 }, (_, r) => persons.filter((a) => a.length === r).length);
        const gradient = logEspVjp(logs(e), n, groups).data;
        e.forEach((_, i) => {
          const right = persons.filter((a) => a.includes(i)).length;
          const expected = sum(persons.map((a) => mean(e, a.length, has(i)))) - right;
          // 64 n u promised and 8 u of the header for each person's pi <= 1; the expected sum rounds at most as often.
          const bound = (64 * n + 9 + persons.length) * persons.length * U;
          expectWithin(gradient[i] - right, expected, bound);
        });
      }),
    );
  });
});

describe("conditional logistic regression", () => {
  it("has likelihood, score and information of a stratum by log sigma_k, pi and the Hessian", () => {
    fc.assert(
      fc.property(exponents, fc.nat(), ({ z, k }, at) => {
        const n = z.length;
        const e = z.map((v) => 2 ** v);
        const x = z.map((v) => v * Math.LN2); // one covariate z with coefficient log 2
        const cases = subsets(n, k)[at % choose(n, k)];
        const covariate = (a: number[]): number => sum(pick(z, a));
        const size = sum(z.map(Math.abs));

        const logSigma = logEsp(x, k).data[k];
        expectLog(logSigma, total(e, k), k);
        const likelihood = Math.exp(sum(pick(x, cases)) - logSigma);
        const expected = product(pick(e, cases)) / total(e, k);
        // x(D) to (4 k + k 1.4 k) u; log sigma_k <= log C(8, 4) + 1.4 k to 2 u of it and 4 k u; 3 more roundings.
        const likelihoodBound = 1.4 * k * k + 8 * k + 3 * (4.3 + 1.4 * k) + 5;
        expectWithin(likelihood, expected, likelihoodBound * U * expected);

        const score = covariate(cases) - dot(inclusionProbabilities(x, k).data, z);
        // Each pi_i <= 1, n products and additions of at most sum |z|.
        const exactScore = covariate(cases) - mean(e, k, covariate);
        expectWithin(score, exactScore, (inclusionBound(k) + (n + 4) * U) * size);

        const information = dot(z, logEspHvp(x, k, z).data);
        // 64 k u promised, 16 k^2 u of the header, times R = 4 and H_ii <= 1/4; n additions of |z_i (Hz)_i| <= 2 k R H_ii.
        const bound = (64 * k + 16 * k * k + 2 * k * (n + 1)) * size + n * n;
        expectWithin(information, covariance(e, k, covariate, covariate), bound * U);
      }),
    );
  });
});

describe("Cox regression with ties", () => {
  const subject = fc.record({
    time: fc.integer({ min: 1, max: 3 }),
    failed: fc.boolean(),
    z: fc.integer({ min: -2, max: 2 }),
  });

  it("is a conditional logistic likelihood at each event time, its cases those who fail, its set those at risk", () => {
    fc.assert(
      fc.property(fc.array(subject, { minLength: 1, maxLength: 8 }), (subjects) => {
        let actual = 0;
        let expected = 1;
        for (const t of new Set(subjects.filter((s) => s.failed).map((s) => s.time))) {
          const atRisk = subjects.filter((s) => s.time >= t);
          const x = atRisk.map((s) => s.z * Math.LN2);
          const dead = atRisk.map((s, i) => (s.failed && s.time === t ? i : -1)).filter((i) => i >= 0);
          const d = dead.length;
          actual += sum(pick(x, dead)) - logEsp(x, d).data[d];
          const e = atRisk.map((s) => 2 ** s.z);
          expected *= product(pick(e, dead)) / total(e, d);
        }
        // At each of 3 times d <= 8, and as in the likelihood of a stratum: below 1.4 64 + 8 8 + 3 16 + 5 < 210 u; the
        // sum over times rounds 2 |log L| u at most, the exponential 2 u, the expected product 6 u.
        expectWithin(Math.exp(actual), expected, (3 * 210 + 8 + 2 * Math.abs(Math.log(expected))) * U * expected);
      }),
    );
  });
});
