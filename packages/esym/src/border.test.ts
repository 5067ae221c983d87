import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import {
  emptyPartial,
  espPartial,
  inclusionProbabilities,
  logEsp,
  logEspHvp,
  logEspOfPartial,
  logEspRatio,
  logEspVjp,
  logEspVjpOfShard,
  mergePartials,
  subsetSampler,
} from "./index.ts";

/** The message of the RangeError or TypeError that a call throws. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return error.message;
    throw error;
  }
  return "nothing was thrown";
}

const anything = (value: unknown) => value as number[];

describe("refusals name the function, the argument, the index and the value", () => {
  it.each<[string, () => unknown, string]>([
    ["NaN", () => logEsp([0, NaN, 1], 1), "logEsp: x[1] is NaN, expected a finite number or -Infinity"],
    [
      "+Infinity",
      () =>
        logEsp(
          [
            [0, 1],
            [2, Infinity],
          ],
          1,
        ),
      "logEsp: x[1, 1] is Infinity, expected a finite number or -Infinity",
    ],
    ["k too large", () => logEsp([0, 1], 3), "logEsp: k must be at most n: got k = 3, n = 2"],
    ["negative k", () => logEsp([0, 1], -1), "logEsp: k must be at least 0: got k = -1"],
    [
      "fractional k",
      () => inclusionProbabilities([0, 1], 0.5),
      "inclusionProbabilities: k must be an integer: got k = 0.5",
    ],
    [
      "k of another type",
      () => logEsp([0], anything("1") as unknown as number),
      'logEsp: k must be an integer: got k = "1"',
    ],
    ["k = 0 in a ratio", () => logEspRatio([0, 1], 0), "logEspRatio: k must be at least 1: got k = 0"],
    ["ragged rows", () => logEsp([[0, 1], [2]], 1), "logEsp: x[1] has length 1, expected the length of row 0, 2"],
    [
      "a row that is none",
      () => logEsp(anything([[0, 1], 2]), 1),
      "logEsp: x[1] is 2, expected the length of row 0, 2",
    ],
    ["a string entry", () => logEsp(anything([0, "1"]), 1), 'logEsp: x[1] is "1", expected a number'],
    [
      "no array",
      () => logEsp(anything({}), 1),
      "logEsp: x is a Object object, expected an ndarray, Float64Array, Float32Array, number[] or number[][]",
    ],
    [
      "three dimensions",
      () => logEsp(ndarray(new Float64Array(8), [2, 2, 2]), 1),
      "logEsp: x has shape [2, 2, 2], expected [n] or [batch, n]",
    ],
    [
      "an unknown algorithm",
      () => logEsp([0], 1, { algorithm: "magic" as "tilted" }),
      'logEsp: algorithm is "magic", expected one of summation, divide-and-conquer, tilted, enumeration',
    ],
    [
      "too many subsets",
      () => logEsp(new Float64Array(40), 20, { algorithm: "enumeration" }),
      "logEsp: enumeration of n = 40, k = 20 needs 618679078298 subsets, at most 67108864",
    ],
    [
      "a cotangent of another shape",
      () => logEspVjp([0, 1], 1, [1, 2, 3]),
      "logEspVjp: cotangent has shape [1, 3], expected [1, 2]",
    ],
    [
      "an infinite cotangent",
      () => logEspVjp([0, 1], 1, [1, -Infinity]),
      "logEspVjp: cotangent[1] is -Infinity, expected a finite number",
    ],
    ["a vector of NaN", () => logEspHvp([0, 1], 1, [NaN, 0]), "logEspHvp: v[0] is NaN, expected a finite number"],
    [
      "a matrix for a shard",
      () => espPartial([[0]], 1),
      "espPartial: x has shape [1, 1], expected a vector: one row's shard",
    ],
    [
      "a shard's cotangent",
      () => logEspVjpOfShard([0], [1], emptyPartial(1)),
      "logEspVjpOfShard: cotangent has shape [1, 1], expected [1, 2]",
    ],
    [
      "partials of different orders",
      () => mergePartials(emptyPartial(1), emptyPartial(2)),
      "mergePartials: partials of different orders, k = 1 and k = 2",
    ],
    [
      "a partial of another version",
      () => mergePartials(emptyPartial(1), { ...emptyPartial(1), version: anything(0) as never }),
      "mergePartials: b.version is 0, expected 1",
    ],
    [
      "a partial whose numbers went through JSON",
      () => logEspOfPartial(JSON.parse(JSON.stringify(emptyPartial(1))) as never),
      "logEspOfPartial: p.hi is a Object object, expected a Float64Array of length 2",
    ],
    [
      "a partial with NaN",
      () => logEspVjpOfShard([0], [0, 1], { ...emptyPartial(1), lo: Float64Array.of(0, NaN) }),
      "logEspVjpOfShard: outside.lo[1] is NaN, expected a finite number",
    ],
    ["a partial of no order", () => emptyPartial(-1), "emptyPartial: k must be at least 0: got k = -1"],
    ["no partial", () => logEspOfPartial(anything(null) as never), "logEspOfPartial: p is null, expected a partial"],
    [
      "no subset left",
      () => subsetSampler([0, -Infinity], 2),
      "subsetSampler: x has fewer than k = 2 entries above -Infinity, there is no k-subset",
    ],
  ])("%s", (_, call, message) => {
    expect(refusal(call)).toBe(message);
  });
});

describe("every kind of array gives the same numbers and is left as it was", () => {
  const values = [
    [0.5, -1, 2, 0.25],
    [3, -Infinity, 1, 0],
    [0, 0, 0, 0.125],
  ];
  const flat = Float64Array.from(values.flat());
  const expected = [...logEsp(values, 2).data];
  // Column-major, reversed, padded and single-precision views of the same matrix (all its entries are short).
  const transposed = ndarray(
    Float64Array.from({ length: 12 }, (_, i) => values[i % 3][Math.floor(i / 3)]),
    [3, 4],
    [1, 3],
  );
  const reversed = ndarray(flat.slice().reverse(), [3, 4], [-4, -1], 11);
  const padded = ndarray(new Float64Array(40), [5, 8]).hi(4, 6).lo(1, 2);
  values.forEach((row, b) => row.forEach((v, i) => padded.set(b, i, v)));
  it.each([
    ["contiguous", ndarray(flat.slice(), [3, 4])],
    ["transposed", transposed],
    ["reversed", reversed],
    ["a window", padded],
    ["single precision", ndarray(Float32Array.from(flat), [3, 4])],
    ["plain array storage", ndarray([...flat], [3, 4])],
  ])("%s", (_, x) => {
    const before = [...(x.data as Float64Array)];
    expect([...logEsp(x, 2).data]).toEqual(expected);
    expect([...(x.data as Float64Array)]).toEqual(before);
  });

  it("storage with get and set", () => {
    const store = { length: 12, get: (i: number) => flat[i], set: () => {} };
    expect([...logEsp(ndarray(store as unknown as number[], [3, 4]), 2).data]).toEqual(expected);
  });

  it("vectors give vectors, matrices give matrices", () => {
    expect(logEsp([1, 2, 3], 2).shape).toEqual([3]);
    expect(logEsp([[1, 2, 3]], 2).shape).toEqual([1, 3]);
    expect(inclusionProbabilities(Float64Array.of(1, 2, 3), 2).shape).toEqual([3]);
    expect(logEspVjp([[1, 2]], 1, [[0, 1]]).shape).toEqual([1, 2]);
  });
});
