/**
 * The identities of docs/poisson-binomial.md, each against a computation that shares nothing with this package.
 *
 * Most rows here are logarithms of integers e_i from 0 to 9, or multiples of log 2 up to 2 log 2: enumeration over
 * subsets then adds and multiplies small integers (or dyadic numbers), which doubles do without rounding, and is exact.
 * What rounds is x_i: one ulp of a logarithm below 4, or two roundings of a product below 1.4, at most 4 u. That moves
 * log sigma_k by sum_i pi_i 4 u = 4 k u, and log pi_i by sum_l |H_il| / pi_i 4 u = 8 (1 - pi_i) u <= 8 u. In
 * (H v)_i = Cov([i in A], v(A)) it moves sum_l E|a_i - pi_i| |a_l - pi_l| |v(A) - E v| 4 u, with
 * E|a_i - pi_i| = 2 H_ii, sum_l |a_l - pi_l| <= 2 k and v(A) within k R, R = max v - min v: at most 16 k^2 R H_ii u.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inclusionProbabilities, logEsp, logEspHvp, logEspRatio, logEspVjp } from "./index.ts";

const U = 2 ** -53;
/** Promised by the docstrings, plus the 8 u of the rows above and one rounding of the expected quotient. */
const inclusionBound = (k: number): number => (64 * k + 9) * U;

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((s, v) => s + v, 0);
const product = (values: readonly number[]): number => values.reduce((p, v) => p * v, 1);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => sum(Array.from(a, (v, i) => v * b[i]));
const pick = (values: readonly number[], subset: readonly number[]): number[] => subset.map((i) => values[i]);
const choose = (n: number, k: number): number => subsets(n, k).length;

/** All k-subsets of [0, n), ascending. */
function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const out: number[][] = [];
  for (let i = from; i < n; i++) for (const rest of subsets(n, k - 1, i + 1)) out.push([i, ...rest]);
  return out;
}

/** The sum over k-subsets A of prod over A of e_i, times f(A): exact while it is a sum of small integers. */
const total = (e: readonly number[], k: number, f: (a: number[]) => number = () => 1): number =>
  sum(subsets(e.length, k).map((a) => product(pick(e, a)) * f(a)));

const has = (i: number) => (a: number[]) => (a.includes(i) ? 1 : 0);

/** log sigma_k of a row with errors of 4 u, against the exact sigma_k: 2 u promised, 2 u for the expected logarithm. */
function expectLog(actual: number, exact: number, k: number): void {
  const bound = (4 * Math.max(1, Math.abs(Math.log(exact))) + 4 * k + 1) * U;
  expect(Math.abs(actual - Math.log(exact))).toBeLessThanOrEqual(bound);
}

function expectWithin(actual: number, expected: number, bound: number): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(bound);
}

/** Integer weights, 0 for a removed entry, and k with at least one k-subset of positive weight. */
const weights = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 8 })
  .filter((e) => e.some((v) => v > 0))
  .chain((e) => fc.record({ e: fc.constant(e), k: fc.integer({ min: 1, max: e.filter((v) => v > 0).length }) }));
const logs = (e: readonly number[]): number[] => e.map((v) => Math.log(v));

/** Exponents z for weights 2^z at x = z log 2, and k. */
const exponents = fc
  .array(fc.integer({ min: -2, max: 2 }), { minLength: 2, maxLength: 8 })
  .chain((z) => fc.record({ z: fc.constant(z), k: fc.integer({ min: 1, max: z.length }) }));

/** E f and Cov([i in A], v(A)) of the k-subset distribution: numerator and denominator exact. */
const mean = (e: readonly number[], k: number, f: (a: number[]) => number): number => total(e, k, f) / total(e, k);
function covariance(e: readonly number[], k: number, f: (a: number[]) => number, g: (a: number[]) => number): number {
  const all = total(e, k);
  return (all * total(e, k, (a) => f(a) * g(a)) - total(e, k, f) * total(e, k, g)) / all ** 2;
}

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
