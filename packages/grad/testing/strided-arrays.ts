/**
 * Arrays of generated values in generated layouts: dimensions in any order in memory, gaps between elements, reversed
 * axes. What lies between the elements is NaN, so reading a wrong place shows.
 */
import * as fc from "fast-check";
import ndarray from "ndarray";
import type { Dtype, FloatArray } from "../src/index.ts";

export interface Domain {
  readonly min: number;
  readonly max: number;
}

/**
 * Values are distinct and lie at least 1/5000 of the domain (1/200 of it in single precision, for up to 50 of them) apart, and from its middle:
 * differences with steps below that meet no ties and, in a symmetric domain, no zero.
 */
export function stridedArray(
  shape: readonly number[],
  { min, max }: Domain = { min: -2, max: 2 },
  dtype: Dtype = "float64",
): fc.Arbitrary<FloatArray> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  // Single precision takes steps of 2^-8: fewer values, further apart.
  const cells = dtype === "float64" ? 2500 : Math.max(100, 2 * size);
  return fc
    .record({
      values: fc.uniqueArray(fc.nat(cells - 1), { minLength: size, maxLength: size }),
      order: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
      gaps: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: shape.length, maxLength: shape.length }),
      reversed: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      start: fc.nat(3),
    })
    .map(({ values, order, gaps, reversed, start }) => {
      const stride = new Array<number>(shape.length);
      let step = 1;
      for (const d of order) {
        step *= gaps[d];
        stride[d] = reversed[d] ? -step : step;
        step *= shape[d];
      }
      const length = start + step + 1;
      const data = (dtype === "float32" ? new Float32Array(length) : new Float64Array(length)).fill(NaN);
      const offset = stride.reduce((at, s, d) => (s < 0 ? at - s * (shape[d] - 1) : at), start);
      const strides = ndarray([], [...shape]).stride;
      for (let i = 0; i < size; i++) {
        const at = shape.reduce((sum, extent, d) => sum + (Math.floor(i / strides[d]) % extent) * stride[d], offset);
        data[at] = min + ((max - min) * (values[i] + 0.5)) / cells;
      }
      return ndarray(data, [...shape], stride, offset);
    });
}

/** A shape of at most three dimensions of 1 to 4. */
export const anyShape: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });
