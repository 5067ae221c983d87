import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALGORITHMS, type Algorithm, logEsp } from "./index.ts";

const U = 2 ** -53;

/** Rows with everything that makes trouble: ties, removed entries, dominant ones, all scales. */
const row = fc
  .tuple(
    fc.constantFrom(0.01, 1, 10, 300, 1e6),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
        { weight: 2, arbitrary: fc.constantFrom(0, 0.5, -0.5) },
        { weight: 1, arbitrary: fc.constant(-Infinity) },
      ),
      { minLength: 1, maxLength: 14 },
    ),
  )
  .map(([scale, entries]) => entries.map((v) => v * scale));
const rowAndOrder = row.chain((x) => fc.tuple(fc.constant(x), fc.integer({ min: 0, max: x.length })));

/** Largest magnitude that an intermediate of the log-space and tilted forms takes. */
function magnitude(x: readonly number[], k: number): number {
  const finite = x.filter(Number.isFinite).map(Math.abs);
  return Math.max(1, x.length, (k + 1) * Math.max(0, ...finite));
}

/** Error bounds in u, absolute: the docstrings' for each algorithm. */
const bounds: Record<Algorithm, (x: readonly number[], k: number) => number> = {
  summation: (x, k) => 2 * magnitude(x, k),
  "divide-and-conquer": (x, k) => (k + 4) * Math.ceil(Math.log2(x.length + 1)) * magnitude(x, k),
  tilted: (x, k) => (4 * x.length + 8) * magnitude(x, k),
  enumeration: (x, k) => (k + 4) * magnitude(x, k) + 2 ** x.length,
};

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(a.length).toBe(b.length);
  for (let j = 0; j < a.length; j++) {
    if (a[j] === b[j]) continue;
    expect(Math.abs(a[j] - b[j]), `order ${j}: ${a[j]} against ${b[j]}`).toBeLessThanOrEqual(tolerance);
  }
}

describe.each(ALGORITHMS)("%s", (algorithm) => {
  const run = (x: readonly number[], k: number) => logEsp(x, k, { algorithm }).data;

  it("agrees with the definition", () => {
    fc.assert(
      fc.property(rowAndOrder, ([x, k]) => {
        const definition = logEsp(x, k, { algorithm: "enumeration" }).data;
        expectClose(run(x, k), definition, (bounds[algorithm](x, k) + bounds.enumeration(x, k)) * U);
      }),
    );
  });

  it("does not depend on the order of the entries", () => {
    fc.assert(
      fc.property(rowAndOrder, fc.infiniteStream(fc.nat()), ([x, k], keys) => {
        const order = x.map((v) => ({ v, key: keys.next().value as number }));
        const shuffled = order.toSorted((a, b) => a.key - b.key).map(({ v }) => v);
        expectClose(run(shuffled, k), run(x, k), 2 * bounds[algorithm](x, k) * U);
      }),
    );
  });

  it("a constant c added to x adds j c to log sigma_j", () => {
    fc.assert(
      fc.property(rowAndOrder, fc.integer({ min: -4, max: 4 }), ([x, k], c) => {
        // Entries on a grid of 2^-20, so that adding c is exact.
        const grid = x.map((v) => Math.round(v * 2 ** 20) / 2 ** 20);
        const moved = grid.map((v) => v + c);
        const expected = Array.from(run(grid, k), (v, j) => v + j * c);
        expectClose(
          run(moved, k),
          expected,
          (2 * bounds[algorithm](moved, k) + bounds[algorithm](grid, k) + 4 * k) * U,
        );
      }),
    );
  });

  it("an entry of -Infinity is not there", () => {
    fc.assert(
      fc.property(rowAndOrder, fc.nat(), ([x, k], at) => {
        const more = x.toSpliced(at % (x.length + 1), 0, -Infinity);
        expectClose(run(more, k), run(x, k), 2 * bounds[algorithm](more, k) * U);
      }),
    );
  });

  it("sigma_0 is 1, and orders above the number of entries are empty", () => {
    fc.assert(
      fc.property(row, (x) => {
        const out = run(x, x.length);
        const count = x.filter((v) => v > -Infinity).length;
        expect(Math.abs(out[0])).toBeLessThanOrEqual(bounds[algorithm](x, x.length) * U);
        for (let j = 0; j <= x.length; j++) expect(out[j] > -Infinity).toBe(j <= count);
      }),
    );
  });

  it("of nothing is sigma_0 alone", () => {
    expect([...run([], 0)]).toEqual([0]);
    expect([...run([-Infinity, -Infinity], 2)]).toEqual([0, -Infinity, -Infinity]);
  });
});

describe("identities of the elementary symmetric polynomials", () => {
  it("Newton: sigma_j^2 >= sigma_{j-1} sigma_{j+1} (1 + 1/j) (1 + 1/(n - j))", () => {
    fc.assert(
      fc.property(row, (x) => {
        const log = logEsp(x, x.length).data;
        const n = x.filter((v) => v > -Infinity).length;
        for (let j = 1; j < n; j++) {
          const gap = 2 * log[j] - log[j - 1] - log[j + 1] - Math.log((1 + 1 / j) * (1 + 1 / (n - j)));
          expect(gap).toBeGreaterThanOrEqual(-12 * magnitude(x, n) * U);
        }
      }),
    );
  });

  it("the polynomial at X = 1 is the product of (1 + e_i)", () => {
    fc.assert(
      fc.property(row, (x) => {
        const log = logEsp(x, x.length).data;
        const top = Math.max(...log);
        const sum = top + Math.log(log.reduce((s, v) => s + Math.exp(v - top), 0));
        const product = x.reduce((s, v) => s + Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), 0);
        expectClose([sum], [product], 4 * (x.length + 2) * magnitude(x, x.length) * U);
      }),
    );
  });

  it("equal entries give binomial coefficients", () => {
    const n = 60;
    const out = logEsp(new Float64Array(n), n).data;
    let binomial = 1n;
    for (let j = 0; j <= n; j++) {
      expectClose([out[j]], [Math.log(Number(binomial))], 3 * Math.max(1, out[j]) * U);
      binomial = (binomial * BigInt(n - j)) / BigInt(j + 1);
    }
  });
});

describe("sizes beyond the range of doubles", () => {
  it("n = 100000, k = 300: log C(n, k) of equal entries, by both linear forms", () => {
    const n = 100_000;
    const k = 300;
    let expected = 0;
    let compensation = 0;
    for (let j = 1; j <= k; j++) {
      const term = Math.log((n - j + 1) / j) - compensation;
      const next = expected + term;
      compensation = next - expected - term;
      expected = next;
    }
    const x = new Float64Array(n);
    // The reference adds 300 rounded logarithms of at most 12.
    expectClose([logEsp(x, k).data[k]], [expected], 300 * 12 * U);
    expectClose([logEsp(x, k, { algorithm: "tilted" }).data[k]], [expected], (4 * n + 8) * n * U);
  });
});
