/**
 * Matrix products, convolutions and pooling against their definitions, entry by entry.
 */
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { stridedArray } from "../../testing/strided-arrays.ts";
import { avgPool2d, conv2d, type Dtype, type FloatArray, matmul, maxPool2d } from "../index.ts";

const dtypes = fc.constantFrom<Dtype>("float64", "float32");
const u = 2 ** -53;

/**
 * Each entry of the result is `terms` products added up in some order, each of size up to 4 (entries lie in [-2, 2]): the
 * sums of two orders differ by at most 2 terms u sum |product| <= 8 terms^2 u. In single precision both sides are
 * rounded once more, by 2^-24 of at most 4 terms each.
 */
function expectClose(actual: FloatArray, expected: (...index: number[]) => number, terms: number): void {
  const rounding = actual.data instanceof Float32Array ? 8 * terms * 2 ** -24 : 0;
  const allowed = 8 * terms * terms * u + rounding;
  const { shape } = actual;
  const index = shape.map(() => 0);
  const size = shape.reduce((product, extent) => product * extent, 1);
  expect(actual.size).toBe(size);
  for (let at = 0; at < size; at++) {
    for (let d = shape.length - 1, rest = at; d >= 0; rest = Math.floor(rest / shape[d--])) index[d] = rest % shape[d];
    const difference = Math.abs(actual.get(...index) - expected(...index));
    if (!(difference <= allowed))
      expect.fail(`entry [${index.join(", ")}] is off by ${difference}, allowed ${allowed}`);
  }
}

function sumOf(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

describe("matmul", () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
  );

  it("is the sum of products at every shape, layout and precision", () => {
    const cases = fc
      .tuple(sizes, dtypes, dtypes)
      .chain(([[m, k, n], left, right]) =>
        fc.tuple(stridedArray([m, k], undefined, left), stridedArray([k, n], undefined, right)),
      );
    fc.assert(
      fc.property(cases, ([a, b]) => {
        const product = matmul(a, b) as FloatArray;
        expect(product.shape).toEqual([a.shape[0], b.shape[1]]);
        expectClose(product, (i, j) => sumOf(a.shape[1], (l) => a.get(i, l) * b.get(l, j)), a.shape[1]);
      }),
    );
  });

  it("joins its blocks without a seam: sizes around and beyond 64, 256 and 512", () => {
    const filled = (rows: number, columns: number): FloatArray =>
      ndarray(
        Float64Array.from({ length: rows * columns }, (_, i) => 2 * Math.sin(i + rows)),
        [rows, columns],
      );
    const cases = [
      [65, 257, 514],
      [64, 256, 512],
      [129, 515, 3],
      [2, 1030, 517],
    ];
    for (const [m, k, n] of cases) {
      const a = filled(m, k);
      const b = filled(n, k).transpose(1, 0);
      expectClose(matmul(a, b) as FloatArray, (i, j) => sumOf(k, (l) => a.get(i, l) * b.get(l, j)), k);
    }
  });
});

const side = fc.integer({ min: 1, max: 3 });
const images = fc.record({
  batch: side,
  channels: side,
  outputs: side,
  extent: fc.tuple(fc.integer({ min: 3, max: 7 }), fc.integer({ min: 3, max: 7 })),
  size: fc.tuple(side, side),
  stride: fc.tuple(side, side),
  padding: fc.tuple(fc.nat(2), fc.nat(2)),
  dtype: dtypes,
});

describe("conv2d", () => {
  it("is the sum over the cells of the kernel, with zeros outside the image", () => {
    const cases = images.chain(({ batch, channels, outputs, extent, size, dtype, ...options }) =>
      fc.record({
        x: stridedArray([batch, channels, ...extent], undefined, dtype),
        w: stridedArray([outputs, channels, ...size], undefined, dtype),
        stride: fc.constant(options.stride),
        padding: fc.constant(options.padding),
      }),
    );
    fc.assert(
      fc.property(cases, ({ x, w, stride, padding }) => {
        const [, channels, rows, columns] = x.shape;
        const [, , height, width] = w.shape;
        const pixel = (b: number, c: number, i: number, j: number): number =>
          i >= 0 && i < rows && j >= 0 && j < columns ? x.get(b, c, i, j) : 0;
        const y = conv2d(x, w, { stride, padding }) as FloatArray;
        expect(y.shape).toEqual([
          x.shape[0],
          w.shape[0],
          Math.floor((rows + 2 * padding[0] - height) / stride[0]) + 1,
          Math.floor((columns + 2 * padding[1] - width) / stride[1]) + 1,
        ]);
        expectClose(
          y,
          (b, o, i, j) =>
            sumOf(channels * height * width, (t) => {
              const [c, r, s] = [Math.floor(t / (height * width)), Math.floor(t / width) % height, t % width];
              return w.get(o, c, r, s) * pixel(b, c, i * stride[0] + r - padding[0], j * stride[1] + s - padding[1]);
            }),
          channels * height * width,
        );
      }),
    );
  });
});

describe("pooling", () => {
  const cases = images.chain(({ batch, channels, extent, size, stride, dtype }) =>
    fc.record({
      x: stridedArray([batch, channels, ...extent], undefined, dtype),
      size: fc.constant(size),
      stride: fc.constant(stride),
    }),
  );
  /** The values in the window at [b, c, i, j]. */
  const windowOf =
    (x: FloatArray, size: readonly number[], stride: readonly number[]) =>
    (b: number, c: number, i: number, j: number): number[] =>
      Array.from({ length: size[0] * size[1] }, (_, t) =>
        x.get(b, c, i * stride[0] + Math.floor(t / size[1]), j * stride[1] + (t % size[1])),
      );

  it("takes the largest element of every window", () => {
    fc.assert(
      fc.property(cases, ({ x, size, stride }) => {
        const values = windowOf(x, size, stride);
        expectClose(maxPool2d(x, { size, stride }) as FloatArray, (b, c, i, j) => Math.max(...values(b, c, i, j)), 0);
      }),
    );
  });

  it("takes the mean of every window", () => {
    fc.assert(
      fc.property(cases, ({ x, size, stride }) => {
        const values = windowOf(x, size, stride);
        const count = size[0] * size[1];
        const mean = (b: number, c: number, i: number, j: number): number =>
          values(b, c, i, j).reduce((sum, value) => sum + value, 0) / count;
        expectClose(avgPool2d(x, { size, stride }) as FloatArray, mean, count);
      }),
    );
  });

  it("tiles the image where no stride is given", () => {
    const x = ndarray(
      Float64Array.from({ length: 24 }, (_, i) => i),
      [1, 1, 4, 6],
    );
    expect([...(maxPool2d(x, { size: [2, 3] }) as FloatArray).data]).toEqual([8, 11, 20, 23]);
    expect([...(avgPool2d(x, { size: [2, 3] }) as FloatArray).data]).toEqual([4, 7, 16, 19]);
  });
});
