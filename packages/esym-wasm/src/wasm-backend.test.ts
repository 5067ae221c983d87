import { cpuBackend } from "@smooth-topk/esym";
import ndarray from "ndarray";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWasmBackend, type WasmBackend } from "./index.ts";
import { MODULE_TEXT } from "./module-text.ts";

/** A matrix of numbers that are floats, the same each time. */
function numbers(length: number, spread: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => spread * Math.sin(i * i));
}

describe.each([
  ["float64", 1],
  ["float32", 1],
  ["float64", 2],
  ["float32", 2],
] as const)("%s, threads: %i", (dtype, threads) => {
  let backend: WasmBackend;
  beforeAll(async () => {
    backend = await createWasmBackend({ dtype, threads });
  });
  afterAll(() => backend.destroy());

  it("says what it is", () => {
    expect(backend).toMatchObject({ name: "wasm", dtype, threads, sync: { name: "wasm", dtype, threads } });
  });

  it("computes a batch of many blocks row by row as it computes each row alone", () => {
    const [batch, n, k] = [150, 1000, 7];
    const x = ndarray(numbers(batch * n, 4), [batch, n]);
    const { value, grad } = backend.sync.logEspRatio(x, k);
    for (const b of [0, 1, 77, 149]) {
      const alone = backend.sync.logEspRatio(ndarray(x.data, [n], [1], b * n), k);
      expect(value.get(b)).toBe(alone.value.get(0));
      expect(grad.data.slice(b * n, (b + 1) * n)).toEqual(alone.grad.data);
    }
  });

  it("asks for a row's weight with that row's ratio, and a weight of 0 makes the gradient 0 whatever the row", () => {
    const x = [
      [3, 2, 1, 0],
      [-Infinity, -Infinity, 5, 5],
      [0, 0, 0, 9],
    ];
    const asked: number[] = [];
    const { ratio, grad } = backend.sync.logEspRatio(x, 3, {
      rowWeight: (b, r) => {
        asked[b] = r;
        return b === 1 ? 0 : -2;
      },
    });
    expect(asked).toEqual(Array.from(ratio.data));
    expect(ratio.get(1)).toBe(0);
    const sums = [0, 1, 2].map((b) => [0, 1, 2, 3].reduce((sum, i) => sum + grad.get(b, i), 0));
    expect(sums[0]).toBeCloseTo(-2, 5);
    expect(Array.from(grad.data.slice(4, 8))).toEqual([0, 0, 0, 0]);
    expect(sums[2]).toBeCloseTo(-2, 5);
  });

  it("gives the same by promises and at once, as views with strides and as lists", async () => {
    const x = ndarray(numbers(60, 3), [5, 6], [1, 10]);
    const rows = Array.from({ length: 5 }, (_, b) => Array.from({ length: 6 }, (__, i) => x.get(b, i)));
    expect((await backend.logEspRatio(x, 2)).grad.data).toEqual(backend.sync.logEspRatio(rows, 2).grad.data);
    expect(await backend.logEsp(x, 4)).toEqual(backend.sync.logEsp(rows, 4));
    expect(await backend.inclusionProbabilities(x, 4)).toEqual(backend.sync.inclusionProbabilities(rows, 4));
    expect(await backend.logEspHvp(x, 4, x)).toEqual(backend.sync.logEspHvp(rows, 4, rows));
  });

  it("computes without a gradient where none is wanted", () => {
    const found = backend.sync.logEspRatio([3, 2, 1], 2, { gradient: false });
    expect(found).not.toHaveProperty("grad");
    expect(found.value.get(0)).toBe(backend.sync.logEspRatio([3, 2, 1], 2).value.get(0));
  });

  it("takes k = 0 and rows without k entries as the reference does", () => {
    const rows = [[1, -Infinity, -Infinity, 2]];
    expect(backend.sync.logEsp(rows, 3)).toEqual(cpuBackend.sync.logEsp(rows, 3));
    expect(backend.sync.inclusionProbabilities(rows, 0).data).toEqual(new Float64Array(4));
    expect(backend.sync.inclusionProbabilities(rows, 3).data).toEqual(new Float64Array(4).fill(NaN));
    expect(backend.sync.logEspHvp(rows, 3, [[1, 2, 3, 4]]).data).toEqual(new Float64Array(4).fill(NaN));
    const { value, ratio, centre, grad } = backend.sync.logEspRatio(rows, 3);
    expect([value.get(0), ratio.get(0), centre.get(0), grad.get(0, 1)]).toEqual([-Infinity, 0, 0, NaN]);
  });

  it("refuses by the name of the element, and goes on", () => {
    expect(() =>
      backend.sync.logEsp(
        [
          [0, 1],
          [NaN, 1],
        ],
        1,
      ),
    ).toThrow("logEsp: x[1, 0] is NaN");
    expect(() => backend.sync.inclusionProbabilities([0, Infinity], 1)).toThrow(
      "inclusionProbabilities: x[1] is Infinity",
    );
    expect(() => backend.sync.logEspRatio([0, NaN], 1)).toThrow("logEspRatio: x[1] is NaN");
    expect(() => backend.sync.logEspRatio([0, 1], 3)).toThrow("logEspRatio: k must be at most n");
    expect(() => backend.sync.logEspHvp([0, 1], 1, [0, NaN])).toThrow("logEspHvp: v[1] is NaN");
    const grad = new Float64Array(4).fill(7);
    expect(() =>
      backend.sync.logEspRatio(
        [
          [0, 1],
          [1, NaN],
        ],
        1,
        { out: { grad } },
      ),
    ).toThrow("x[1, 1] is NaN");
    expect(grad).toEqual(new Float64Array(4).fill(7));
    expect(backend.sync.logEspRatio([0, 1], 1).value.get(0)).toBeCloseTo(Math.log(1 + Math.E), 6);
  });

  it("multiplies a Hessian with directions whose range overflows", () => {
    const v = dtype === "float64" ? 1e308 : 3e38;
    const { data } = backend.sync.logEspHvp([0, 0, 0], 1, [v, -v, 0]);
    for (const [i, expected] of [v / 3, -v / 3, 0].entries()) {
      expect(Math.abs(data[i] - expected)).toBeLessThanOrEqual(1e-6 * v);
    }
  });

  it("computes in its own memory without a copy, after growing too", () => {
    const [batch, n, k] = [40, 500, 5];
    const scores = backend.allocate(batch, n);
    const gradient = backend.allocate(batch, n);
    scores.data.set(numbers(batch * n, 2));
    const expected = backend.sync.logEspRatio(ndarray(scores.data.slice(), [batch, n]), k);
    backend.sync.logEspRatio(scores.array, k, { out: { grad: gradient.data } });
    expect(gradient.data.slice()).toEqual(expected.grad.data);
    backend.sync.logEspRatio(numbers(3_000_000, 1), k);
    // The views of a call stay whole in its callbacks.
    const held = scores.data;
    backend.sync.logEspRatio(ndarray(held, [batch, n]), 1, { rowWeight: (b) => held[b] });
    expect(held.length).toBe(batch * n);
    backend.sync.logEspRatio(scores.array, k, { out: { grad: gradient.data } });
    expect(gradient.data.slice()).toEqual(expected.grad.data);
    scores.free();
    gradient.free();
    expect(() => scores.data).toThrow("allocate: the matrix was given back by free()");
  });

  it("says what does not fit before it computes", () => {
    expect(() => backend.allocate(40_000, 40_000)).toThrow(
      /^allocate: a matrix of 40000 x 40000 needs \d+ bytes of WebAssembly memory, which do not fit/,
    );
    expect(backend.sync.logEspRatio([0, 0], 1).value.get(0)).toBeCloseTo(Math.LN2, 6);
  });
});

it("gives its memory back when it is destroyed, and refuses to compute then", async () => {
  const backend = await createWasmBackend();
  expect(backend.memoryBytes).toBeGreaterThan(0);
  backend.destroy();
  backend.destroy();
  expect(backend.memoryBytes).toBe(0);
  expect(() => backend.sync.logEsp([0], 1)).toThrow("logEsp: the backend is destroyed");
  await expect(backend.logEspRatio([0, 0], 1)).rejects.toThrow("logEspRatio: the backend is destroyed");
});

it("refuses options that it does not have", async () => {
  await expect(createWasmBackend({ dtype: "float16" as "float32" })).rejects.toThrow(
    'createWasmBackend: dtype is "float16", expected one of float32, float64',
  );
  await expect(createWasmBackend({ threads: 0 })).rejects.toThrow("createWasmBackend: threads is 0");
  await expect(createWasmBackend({ thread: 2 } as object)).rejects.toThrow("there is no option thread");
});

it("has code of under 40 kB after gzip", async () => {
  const packed = new Blob([MODULE_TEXT]).stream().pipeThrough(new CompressionStream("gzip"));
  expect((await new Response(packed).arrayBuffer()).byteLength).toBeLessThan(40_000);
});
