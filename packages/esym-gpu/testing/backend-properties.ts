/**
 * What every backend must satisfy, on whatever it runs: the accuracy contract against packages/esym in double precision,
 * and the same refusals.
 *
 * A plain function, so that each environment can run it on the modes it has.
 */
import { cpuBackend } from "@smooth-topk/esym";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GpuBackend } from "../src/index.ts";
import { labelledRows, rows, shape, type Shape } from "./difficult-rows.ts";
import { lossOn, referenceLoss } from "./reference-loss.ts";

/** Unit roundoff of single precision. */
const U = 2 ** -24;
/** Below it single precision has no digits to promise. */
const SMALLEST = 1e-30;

export interface SuiteSize {
  /** Shapes, drawn anew each run. Each is compiled, so they are few. */
  readonly shapes: number;
  /** Batches a shape. */
  readonly runs: number;
  /** What sets this backend apart from others of its mode. */
  readonly variant?: string;
}

export function describeBackend(
  mode: string,
  createBackend: () => Promise<GpuBackend>,
  { shapes, runs, variant = "" }: SuiteSize = { shapes: 4, runs: 8 },
): void {
  describe(`the ${mode} backend${variant}`, () => {
    let backend: GpuBackend;
    beforeAll(async () => {
      backend = await createBackend();
    });
    afterAll(() => backend.destroy());

    const seed = fc.readConfigureGlobal().seed;
    const drawn = fc.sample(shape, { numRuns: shapes, ...(seed === undefined ? {} : { seed }) });
    const fixed: Shape[] = [
      { batch: 3, n: 100, k: 5 },
      { batch: 1, n: 8, k: 7 },
      { batch: 2, n: 2, k: 1 },
      // The tree with a downsweep of several levels, and coefficients that overflow without a tilt.
      { batch: 2, n: 300, k: 40 },
    ];
    const sizes = [...fixed, ...drawn].map(
      ({ batch, n, k }) => [`${batch} rows, n = ${n}, k = ${k}`, { batch, n, k }] as const,
    );

    it("is what was asked for", async () => {
      expect(backend.name).toBe(mode);
      expect(backend.dtype).toBe("float32");
      await backend.logEsp([0, 0, 0], 2);
      expect(backend.executor).toMatch(mode === "webgpu" ? /^fused/ : mode === "webasm" ? /^fused-/ : /^generic$/);
    });

    describe.each(sizes)("%s", (_, of) => {
      it("log sigma_j is within 64 u max(1, |value|), all j <= k", async () => {
        await fc.assert(
          fc.asyncProperty(rows(of), async (x) => {
            const actual = await backend.logEsp(x, of.k);
            const expected = await cpuBackend.logEsp(x, of.k);
            expect(actual.shape).toEqual(expected.shape);
            expectWithin(actual.data, expected.data, (value) => 64 * U * Math.max(1, Math.abs(value)));
          }),
          { numRuns: runs },
        );
      });

      it("inclusion probabilities are within 1e-3 of themselves and 1e-5 of the largest", async () => {
        await fc.assert(
          fc.asyncProperty(rows(of), async (x) => {
            const actual = await backend.inclusionProbabilities(x, of.k);
            const expected = await cpuBackend.inclusionProbabilities(x, of.k);
            expect(actual.shape).toEqual(expected.shape);
            expectGradient(actual.data, expected.data, of.n, 1e-5);
          }),
          { numRuns: runs },
        );
      });

      it("log-ratios are within 64 u, their gradients within 1e-3 of themselves", async () => {
        await fc.assert(
          fc.asyncProperty(rows(of), async (x) => {
            const actual = await backend.logEspRatio(x, of.k);
            const expected = await cpuBackend.logEspRatio(x, of.k);
            expect(actual.value.shape).toEqual(expected.value.shape);
            const kth = x.map((row) => Math.abs(row.toSorted((a, b) => b - a)[of.k - 1]));
            expectWithin(
              actual.value.data,
              expected.value.data,
              (value, b) => 64 * U * Math.max(1, Math.abs(value), Number.isFinite(kth[b]) ? kth[b] : 1),
            );
            // d_{k-1}^2 - d_{k-2} d_k subtracts: Newton's inequality lets the coefficients' errors, 4 u each, grow k-fold.
            expectGradient(actual.grad.data, expected.grad.data, of.n, Math.max(1e-5, 16 * of.k * U));
          }),
          { numRuns: runs },
        );
      });

      it("the loss is within 1e-5, its gradient within 1e-3 of itself and 1e-5 of the row's largest", async () => {
        const options = fc.record({
          k: fc.constant(of.k),
          tau: fc.constantFrom(1e-3, 0.05, 1, 7, 1e3),
          alpha: fc.constantFrom(0, 1, 2.5),
        });
        await fc.assert(
          fc.asyncProperty(labelledRows(of), options, async ({ scores, labels }, { k, tau, alpha }) => {
            const { loss, grad } = await lossOn(backend, scores, labels, { k, tau, alpha });
            expect(loss.length).toBe(of.batch);
            expect(grad.shape).toEqual([of.batch, of.n]);
            const expected = scores.map((row, b) => referenceLoss(row, labels[b], k, tau, alpha));
            expectWithin(
              loss,
              expected.map((row) => row.loss),
              (value) => Math.max(SMALLEST, 1e-5 * value),
            );
            expectGradient(
              grad.data,
              expected.flatMap((row) => Array.from(row.grad)),
              of.n,
              1e-5,
            );
          }),
          { numRuns: runs },
        );
      });
    });

    // Probabilities near 1/2, where the sum of all coefficients is far above e to the distribution's mean.
    it.each([
      [160, 70],
      [240, 90],
      [300, 120],
    ])("n = %i entries of like size, k = %i: all coefficients stay in the format's range", async (n, k) => {
      for (const spread of [0, 0.2, 1]) {
        const x = Array.from({ length: n }, (_, i) => Math.fround(spread * Math.sin(i)));
        expectWithin(
          (await backend.logEsp(x, k)).data,
          (await cpuBackend.logEsp(x, k)).data,
          (value) => 64 * U * Math.max(1, Math.abs(value)),
        );
        expectGradient(
          (await backend.inclusionProbabilities(x, k)).data,
          (await cpuBackend.inclusionProbabilities(x, k)).data,
          n,
          1e-5,
        );
      }
    });

    it("computes rows whose coefficients leave the format's range on the host, counts them, and loses no other", async () => {
      const near = Float32Array.from({ length: 260 }, (_, i) => Math.sin(i));
      for (const k of [150, 200, 230, 259]) {
        const before = backend.rowsOnHost;
        const { value, grad } = await backend.logEspRatio(near, k);
        const expected = await cpuBackend.logEspRatio(near, k);
        expectWithin(value.data, expected.value.data, (v) => 64 * U * Math.max(1, Math.abs(v)));
        expectGradient(grad.data, expected.grad.data, 260, Math.max(1e-5, 16 * k * U));
        const pi = await backend.inclusionProbabilities(near, k);
        expectGradient(pi.data, (await cpuBackend.inclusionProbabilities(near, k)).data, 260, 1e-5);
        if (k > 200) expect(backend.rowsOnHost).toBe(before + 2);
      }
      const many = new Float64Array(400).map((_, i) => Math.cos(i));
      const logs = await backend.logEsp(many, 390);
      expectWithin(logs.data, (await cpuBackend.logEsp(many, 390)).data, (v) => 64 * U * Math.max(1, Math.abs(v)));
    });

    it("gives far-out scores the gradients of double precision, row by row", async () => {
      const rowsOf = (size: number): number[][] => [
        Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? size : -size) * (1 + (i % 7) / 8)),
        Array.from({ length: 40 }, (_, i) => Math.sin(i)),
        Array.from({ length: 40 }, (_, i) => (i < 30 ? size : i)),
      ];
      for (const size of [1e12, 1e30, 1e35, 1e300]) {
        const x = rowsOf(size);
        const before = backend.rowsOnHost;
        const { grad } = await backend.logEspRatio(x, 5);
        expectGradient(grad.data, (await cpuBackend.logEspRatio(x, 5)).grad.data, 40, 1e-5);
        expect(backend.rowsOnHost - before).toBeLessThan(3);
      }
      const x = rowsOf(1);
      const options = { temperature: [1e-30, 0] } as const;
      const { grad } = await backend.logEspRatio(x, 5, options);
      expectGradient(grad.data, (await cpuBackend.logEspRatio(x, 5, options)).grad.data, 40, 1e-5);
    });

    it("takes temperatures, entries left out, weights and buffers as the reference does", async () => {
      const x = Array.from({ length: 3 }, (_, b) => Array.from({ length: 30 }, (__, i) => Math.sin(7 * b + i)));
      const options = {
        temperature: [0.3, 0] as const,
        leftOut: [4, -1, 29],
        rowWeight: (b: number, ratio: number) => [0, -2, ratio > 0 ? 0.5 : 0][b],
      };
      const actual = await backend.logEspRatio(x, 4, options);
      const expected = await cpuBackend.logEspRatio(x, 4, options);
      expect(actual.grad.data).toBeInstanceOf(Float32Array);
      expectGradient(actual.grad.data, expected.grad.data, 30, 64 * U);
      expectWithin(actual.value.data, expected.value.data, (v) => 64 * U * Math.max(4, Math.abs(v)));
      const out = { grad: new Float64Array(90) };
      expect((await backend.logEspRatio(x, 4, { ...options, out })).grad.data).toBe(out.grad);
      expect([...out.grad].map(Math.fround)).toEqual([...actual.grad.data]);
      expect("grad" in (await backend.logEspRatio(x, 4, { gradient: false }))).toBe(false);
    });

    it("computes Hessian-vector products, as the reference", async () => {
      const x = Array.from({ length: 12 }, (_, i) => Math.sin(i));
      const v = x.map((_, i) => i % 3);
      expect((await backend.logEspHvp(x, 3, v)).data).toEqual((await cpuBackend.logEspHvp(x, 3, v)).data);
    });

    it.each([5, 20, 30])("entries that tie far above the others share k = %i between them", async (k) => {
      for (const ties of [k + 1, 2 * k, 5 * k]) {
        const x = Array.from({ length: 200 }, (_, i) => ((i * 7) % 200 < ties ? 3 : -1000));
        const pi = await backend.inclusionProbabilities(x, k);
        const { grad } = await backend.logEspRatio(x, k);
        const expected = x.map((v) => (v > 0 ? k / ties : 0));
        expectGradient(pi.data, expected, 200, 1e-5);
        expectGradient(
          grad.data,
          expected.map((v) => v / k),
          200,
          Math.max(1e-5, 16 * k * U),
        );
      }
    });

    it("all entries equal give binomial coefficients, whatever their size", async () => {
      const n = 300;
      const k = 40;
      const { data } = await backend.logEsp(new Float64Array(n), k);
      const { value, grad } = await backend.logEspRatio(new Float64Array(n), k);
      let log = 0;
      for (let j = 1; j <= k; j++) log += Math.log((n - j + 1) / j);
      expectWithin([data[k], value.get(0)], [log, Math.log((n - k + 1) / k)], (v) => 64 * U * Math.max(1, v));
      expectGradient(grad.data, new Float64Array(n).fill(1 / n), n, 16 * k * U);
    });

    it("fewer than k classes besides the label give loss 0 and gradient 0", async () => {
      const scores = [
        [1, -Infinity, 2, -Infinity],
        [1, 0, 2, -Infinity],
      ];
      const { loss, grad } = await lossOn(backend, scores, [0, 0], { k: 2 });
      expect(loss[0]).toBe(0);
      expect(loss[1]).toBeGreaterThan(0);
      expect([...grad.data.subarray(0, 4)].map(Math.abs)).toEqual([0, 0, 0, 0]);
    });

    it("takes vectors, matrices and both precisions, and leaves them as they were", async () => {
      const flat = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
      const before = flat.slice();
      const matrix = Array.from({ length: 3 }, (_, b) => Array.from(flat.subarray(b * 20, b * 20 + 20)));
      const vector = await backend.logEsp(flat.subarray(0, 20), 3);
      const double = await backend.logEsp(Float64Array.from(flat.subarray(0, 20)), 3);
      const batch = await backend.logEsp(matrix, 3);
      expect(vector.shape).toEqual([4]);
      expect(batch.shape).toEqual([3, 4]);
      expect([...vector.data]).toEqual([...batch.data].slice(0, 4));
      expect([...vector.data]).toEqual([...double.data]);
      expect(flat).toEqual(before);
    });

    it("refuses what the reference refuses, in the same words", async () => {
      const cases: ((of: Pick<GpuBackend, "logEsp" | "inclusionProbabilities" | "logEspRatio">) => Promise<unknown>)[] =
        [
          (b) => b.logEsp([0, NaN], 1),
          (b) => b.logEsp([0, Infinity], 1),
          (b) => b.logEsp([0, 1], 3),
          (b) => b.logEsp([0, 1], 1.5),
          (b) => b.inclusionProbabilities([[0, 1], [0]] as number[][], 1),
          (b) => b.logEspRatio([0, 1], 0),
          (b) => b.logEspRatio("scores" as never, 1),
        ];
      for (const run of cases) {
        const expected = await message(run(cpuBackend));
        expect(expected).not.toBeNull();
        expect(await message(run(backend))).toBe(expected);
      }
    });

    it("rejects calls after destroy, each by its name", async () => {
      const other = await createBackend();
      const before = other.logEsp([0, 0], 1);
      other.destroy();
      expect((await before).data[1]).toBeCloseTo(Math.LN2, 6);
      expect(await message(other.logEsp([0, 0], 1))).toBe(`logEsp: the ${mode} backend has been destroyed`);
      expect(await message(other.logEspRatio([0, 0], 1))).toMatch(/^logEspRatio: .* has been destroyed$/);
    });
  });
}

async function message(promise: Promise<unknown>): Promise<string | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function expectWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: (value: number, at: number) => number,
): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue;
    const off = Math.abs(actual[i] - expected[i]);
    if (!(off <= tolerance(expected[i], i))) {
      expect.fail(`${i}: ${actual[i]}, expected ${expected[i]} within ${tolerance(expected[i], i)}`);
    }
  }
}

/** The contract of gradients, row by row; NaN where NaN is expected. */
function expectGradient(actual: ArrayLike<number>, expected: ArrayLike<number>, n: number, ofLargest: number): void {
  const largest = new Float64Array(expected.length / n);
  for (let i = 0; i < expected.length; i++) {
    const b = Math.floor(i / n);
    largest[b] = Math.max(largest[b], Number.isNaN(expected[i]) ? 0 : Math.abs(expected[i]));
  }
  expectWithin(actual, expected, (value, i) => {
    const size = Math.abs(value);
    return Math.max(SMALLEST, Math.min(1e-3 * size, ofLargest * largest[Math.floor(i / n)]));
  });
}
