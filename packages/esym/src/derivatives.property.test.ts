import { createOracle } from "@smooth-topk/conformance/oracle";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inclusionProbabilities, logEsp, logEspHvp, logEspRatio, logEspVjp } from "./index.ts";

const U = 2 ** -53;
/** Below this the contract promises nothing. */
const TINY = 1e-280;

let oracle: Awaited<ReturnType<typeof createOracle>>;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

/** Rows of n >= 1 entries with ties, removed and dominant entries at all scales, and k up to n. */
const rowAndOrder = fc
  .tuple(
    fc.constantFrom(0.01, 1, 10, 100, 1000, 1e6),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
        { weight: 2, arbitrary: fc.constantFrom(0, 0.5, -0.5, 1) },
        { weight: 1, arbitrary: fc.constant(-Infinity) },
      ),
      { minLength: 1, maxLength: 40 },
    ),
  )
  .map(([scale, entries]) => entries.map((v) => v * scale))
  .chain((x) => fc.tuple(fc.constant(x), fc.integer({ min: 1, max: x.length })));

const signed = fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true }));
const take = (stream: Iterator<number>, n: number): number[] =>
  Array.from({ length: n }, () => stream.next().value as number);
const count = (x: readonly number[]): number => x.filter((v) => v > -Infinity).length;

function expectRelative(actual: ArrayLike<number>, expected: ArrayLike<number>, boundInU: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(expected[i])) expect(actual[i]).toBeNaN();
    else if (Math.abs(expected[i]) < TINY) expect(Math.abs(actual[i])).toBeLessThan(2 * TINY);
    else
      expect(
        Math.abs(actual[i] / expected[i] - 1),
        `entry ${i}: ${actual[i]} against ${expected[i]}`,
      ).toBeLessThanOrEqual(boundInU * U);
  }
}

describe("inclusion probabilities", () => {
  // Contract: 64 k u; 8 k u + 4 u is what the derivation gives (docs/algorithm.md, section 4).
  it("are right in every component, to 8k + 4 u", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        expectRelative(inclusionProbabilities(x, k).data, oracle.inclusionProbabilities(x, k), 8 * k + 4);
      }),
    );
  });

  it("lie in [0, 1] and sum to k", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        fc.pre(count(x) >= k);
        const pi = [...inclusionProbabilities(x, k).data];
        for (const p of pi) expect(p >= 0 && p <= 1 + 64 * k * U).toBe(true);
        expect(Math.abs(pi.reduce((s, p) => s + p, 0) - k)).toBeLessThanOrEqual((8 * k + 4 + x.length) * k * U);
      }),
    );
  });

  it("are ordered as the entries are", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        fc.pre(count(x) >= k);
        const pi = inclusionProbabilities(x, k).data;
        const order = x.map((_, i) => i).toSorted((a, b) => x[a] - x[b]);
        for (let r = 1; r < order.length; r++) {
          expect(pi[order[r]]).toBeGreaterThanOrEqual(pi[order[r - 1]] * (1 - 64 * k * U));
        }
      }),
    );
  });

  it("are 1 at k = n, 0 at k = 0, and NaN where there is no k-subset", () => {
    expect([...inclusionProbabilities([3, -100, 1e6], 3).data]).toEqual([1, 1, 1]);
    expect([...inclusionProbabilities([3, -100, 1e6], 0).data]).toEqual([0, 0, 0]);
    expect([
      ...inclusionProbabilities(
        [
          [0, 0],
          [0, -Infinity],
        ],
        2,
      ).data,
    ]).toEqual([1, 1, NaN, NaN]);
  });
});

describe("the log-ratio of neighbouring orders", () => {
  it("has the gradient pi^(k) - pi^(k-1) in every component, to 16k u", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        fc.pre(count(x) >= k);
        const { value, grad } = logEspRatio(x, k);
        const expected = oracle.logEspRatio(x, k);
        expectRelative(grad.data, expected.grad, 16 * k);
        const centre = x.toSorted((a, b) => b - a)[k - 1];
        const bound = 8 * Math.max(1, Math.abs(expected.value), Math.abs(centre)) * U;
        expect(Math.abs(value.get(0) - expected.value)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("has a positive gradient of sum 1: non-sparse, as the paper's title of the loss says", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        fc.pre(count(x) > k);
        const grad = [...logEspRatio(x, k).grad.data];
        const scale = Math.max(...x) - Math.min(...x.filter((v) => v > -Infinity));
        if (scale < 300) grad.forEach((g, i) => expect(g > 0).toBe(x[i] > -Infinity));
        expect(Math.abs(grad.reduce((s, g) => s + g, 0) - 1)).toBeLessThanOrEqual((16 * k + x.length) * U);
      }),
    );
  });
});

describe("the vector-Jacobian product", () => {
  it("is right to 8k + 8 u of the sum of its terms' sizes", () => {
    fc.assert(
      fc.property(rowAndOrder, signed, ([x, k], stream) => {
        const v = take(stream, k + 1);
        const actual = logEspVjp(x, k, v).data;
        const expected = oracle.logEspVjp(x, k, v);
        const size = oracle.logEspVjp(x, k, v.map(Math.abs));
        for (let i = 0; i < x.length; i++) {
          expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual((8 * k + 8) * U * size[i] + TINY);
        }
      }),
    );
  });

  it("of the last unit vector is the inclusion probability, found in another way", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        fc.pre(count(x) >= k);
        const unit = new Float64Array(k + 1);
        unit[k] = 1;
        expectRelative(logEspVjp(x, k, unit).data, inclusionProbabilities(x, k).data, 16 * k + 12);
      }),
    );
  });

  // The two ways share exponentials and nothing else: this is where the tilted centre is tried, at orders that the
  // oracle is too slow for.
  it("of the last unit vector is the inclusion probability on long rows too, where coefficients leave the doubles", () => {
    const long = fc.record({
      n: fc.integer({ min: 50, max: 1500 }),
      part: fc.double({ min: 0.01, max: 1, noNaN: true }),
      scale: fc.constantFrom(0, 0.1, 3, 50, 1000),
      seed: signed,
    });
    fc.assert(
      fc.property(long, ({ n, part, scale, seed }) => {
        const k = Math.max(1, Math.floor(part * n));
        const x = take(seed, n).map((v) => scale * v);
        const unit = new Float64Array(k + 1);
        unit[k] = 1;
        expectRelative(inclusionProbabilities(x, k).data, logEspVjp(x, k, unit).data, 16 * k + 12);
        // Its sum over entries is that of pi (1 - pi) times 0: nothing but rounding.
        const hv = logEspHvp(x, k, x).data;
        const size = hv.reduce((s, h) => s + Math.abs(h), 0);
        const range = Math.max(...x) - Math.min(...x);
        const sum = hv.reduce((s, h) => s + h, 0);
        expect(Math.abs(sum)).toBeLessThanOrEqual((16 * k * k * range + n * size) * U);
      }),
      { numRuns: 30 },
    );
  });

  it("agrees with central differences of logEsp", () => {
    const x = [0.3, -1, 2, 0.7, 0.1];
    const v = [0.5, -1, 2, 0.25];
    const step = 2 ** -17;
    const phi = (y: number[]): number => logEsp(y, 3).data.reduce((s, value, j) => s + v[j] * value, 0);
    const vjp = logEspVjp(x, 3, v).data;
    x.forEach((_, i) => {
      const numerical = (phi(x.with(i, x[i] + step)) - phi(x.with(i, x[i] - step))) / (2 * step);
      // Truncation step^2 / 6 times a third derivative of order 1; rounding u |phi| / step.
      expect(Math.abs(numerical - vjp[i])).toBeLessThan(step ** 2 + (16 * U) / step);
    });
  });
});

describe("the Hessian-vector product", () => {
  it("is right to 16k u of H_ii times the range of v", () => {
    fc.assert(
      fc.property(rowAndOrder, signed, ([x, k], stream) => {
        fc.pre(count(x) >= k && x.length <= 24);
        const v = take(stream, x.length);
        const actual = logEspHvp(x, k, v).data;
        const expected = oracle.logEspHvp(x, k, v);
        const present = v.filter((_, i) => x[i] > -Infinity);
        const range = Math.max(...present) - Math.min(...present);
        const pi = inclusionProbabilities(x, k).data;
        x.forEach((_, i) => {
          // pi (1 - pi) as the Hessian's own diagonal: 1 - pi cancels in doubles.
          const diagonal =
            pi[i] < 0.5
              ? pi[i]
              : oracle.logEspHvp(
                  x,
                  k,
                  x.map((__, l) => (l === i ? 1 : 0)),
                )[i];
          expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(16 * k * U * diagonal * range + TINY);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("is a double wherever the exact product is one, though the range of v is none", () => {
    // Found by fuzzing: the range 2e308 overflowed to a product of NaN.
    for (const v of [
      [1e308, -1e308, 0],
      [1.7e308, -1.7e308, 1.7e308],
    ]) {
      const expected = oracle.logEspHvp([0, 0, 0], 2, v);
      expectRelative(logEspHvp([0, 0, 0], 2, v).data, expected, 32 * 2);
    }
    expect([...logEspHvp([0, 1e3, 0], 1, [1e308, -1e308, 0]).data].every(Number.isFinite)).toBe(true);
  });

  it("is the covariance of the k-subset distribution: symmetric, positive semi-definite, zero on constants", () => {
    fc.assert(
      fc.property(rowAndOrder, signed, ([x, k], stream) => {
        fc.pre(count(x) >= k);
        const n = x.length;
        const v = take(stream, n);
        const w = take(stream, n);
        const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
          let sum = 0;
          for (let i = 0; i < n; i++) sum += a[i] * b[i];
          return sum;
        };
        // Each product's error is 16 k u sum pi_i (1 - pi_i) * 2 <= 32 k^2 u, and n more for the sum.
        const bound = (32 * k + n) * k * U;
        const hv = logEspHvp(x, k, v).data;
        expect(Math.abs(dot(hv, w) - dot(logEspHvp(x, k, w).data, v))).toBeLessThanOrEqual(2 * bound);
        expect(dot(hv, v)).toBeGreaterThanOrEqual(-bound);
        expect([...logEspHvp(x, k, new Float64Array(n).fill(0.7)).data].every((h) => h === 0)).toBe(true);
      }),
    );
  });
});
