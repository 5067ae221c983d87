import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { cpuBackend, logEspRatio } from "./index.ts";

const x = [
  [2, 1, 0.5, -1, 0],
  [0.1, 3, 0.2, 0, 2.5],
  [1, -Infinity, -Infinity, -Infinity, 2],
];
const k = 2;
const row = (b: number, n = 5): number[] => Array.from({ length: n }, (_, i) => b * n + i);

describe("the options of logEspRatio", () => {
  const plain = logEspRatio(x, k);

  it("value is log(ratio) + centre / T, to a rounding of each term", () => {
    const T = 0.3;
    const { value, ratio, centre } = logEspRatio(x, k, { temperature: [T, 0] });
    for (let b = 0; b < 2; b++) {
      const terms = [Math.log(ratio.get(b)), centre.get(b) / T];
      const size = Math.abs(terms[0]) + Math.abs(terms[1]);
      expect(Math.abs(value.get(b) - terms[0] - terms[1])).toBeLessThanOrEqual(2 ** -52 * size);
    }
  });

  it("a temperature divides the entries: powers of two change no digit", () => {
    const scaled = logEspRatio(
      x.map((r) => r.map((v) => v * 8)),
      k,
      { temperature: [8, 0] },
    );
    expect([...scaled.grad.data]).toEqual([...plain.grad.data]);
    expect([...scaled.ratio.data]).toEqual([...plain.ratio.data]);
  });

  it("an entry left out is one that is -Infinity, and -1 leaves out none", () => {
    const leftOut = [1, -1, 0];
    const masked = x.map((r, b) => r.map((v, i) => (i === leftOut[b] ? -Infinity : v)));
    const [by, as] = [logEspRatio(x, k, { leftOut }), logEspRatio(masked, k)];
    expect([...by.grad.data]).toEqual([...as.grad.data]);
    expect([...by.value.data]).toEqual([...as.value.data]);
  });

  it("weights are asked for once per row, in terms of its own result, and multiply its gradient", () => {
    const asked: number[][] = [];
    const { grad, ratio, centre } = logEspRatio(x, k, {
      rowWeight: (b, r, c) => {
        asked.push([b, r, c]);
        return b === 0 ? -2 : 0;
      },
      leftOut: [-1, -1, 0],
    });
    expect(asked).toEqual([0, 1, 2].map((b) => [b, ratio.get(b), centre.get(b)]));
    for (const i of row(0)) expect(grad.data[i]).toBe(-2 * plain.grad.data[i]);
    for (const i of row(1)) expect(grad.data[i]).toBe(0);
  });

  it("a row with sigma_k = 0 has ratio 0, value -Infinity and gradient NaN, and gradient 0 by a weight of 0", () => {
    const leftOut = [-1, -1, 0];
    const found = logEspRatio(x, k, { leftOut });
    expect([found.value.get(2), found.ratio.get(2), found.centre.get(2)]).toEqual([-Infinity, 0, 0]);
    for (const i of row(2)) expect(found.grad.data[i]).toBeNaN();
    const { grad } = logEspRatio(x, k, { leftOut, rowWeight: (_b, ratio) => (ratio > 0 ? 1 : 0) });
    for (const i of row(2)) expect(grad.data[i]).toBe(0);
  });

  it("without a gradient no weight is asked for and there is none in the result", () => {
    const rowWeight = (): number => {
      throw new Error("asked");
    };
    const found = logEspRatio(x, k, { gradient: false, rowWeight });
    expect("grad" in found).toBe(false);
    expect([...found.value.data]).toEqual([...plain.value.data]);
  });

  it("the gradient has the precision of x, or that of the buffer it goes to", () => {
    const single = ndarray(Float32Array.from(x.flat()), [3, 5]);
    const wide = logEspRatio(single, k, { out: { grad: new Float64Array(15) } }).grad;
    const narrow = logEspRatio(single, k).grad;
    expect(narrow.data).toBeInstanceOf(Float32Array);
    expect([...narrow.data]).toEqual([...wide.data].map(Math.fround));
    const grad = new Float32Array(15);
    expect(logEspRatio(x, k, { out: { grad } }).grad.data).toBe(grad);
  });

  it("the backend and its synchronous half give the same", async () => {
    const options = { temperature: [0.7, 0], leftOut: [0, 1, 1] } as const;
    const expected = logEspRatio(x, k, options);
    expect(await cpuBackend.logEspRatio(x, k, options)).toEqual(expected);
    expect(cpuBackend.sync.logEspRatio(x, k, options)).toEqual(expected);
  });

  const any = (value: unknown): never => value as never;
  it.each<[string, object, string]>([
    ["an unknown option", { leftout: [1, 1, 1] }, "there is no option leftout, expected one of temperature, leftOut"],
    ["null", any(null), "options is null, expected an object"],
    ["a temperature of 0", { temperature: [0, 0] }, "temperature[0] is 0, expected a number from 1e-280 to 1e280"],
    ["a pair that is none", { temperature: [1, 0.5] }, "temperature[1] is 0.5, expected less than a rounding"],
    ["a number for a pair", { temperature: 0.5 }, "temperature is 0.5, expected a pair of numbers"],
    ["too few entries left out", { leftOut: [1] }, "leftOut has length 1, expected one for each of 3 rows"],
    ["an index past the row", { leftOut: [0, 5, 0] }, "leftOut[1] is 5, expected an integer in [-1, 4]"],
    ["a weight that is no function", { rowWeight: 2 }, "rowWeight is 2, expected a function"],
    ["a gradient that is neither", { gradient: 1 }, "gradient is 1, expected true or false"],
    ["a short buffer", { out: { grad: new Float64Array(3) } }, "out.grad is a Float64Array of length 3, expected"],
    ["an unknown buffer", { out: { value: [] } }, "out: there is no option value, expected one of grad"],
  ])("%s is refused by name", (_, options, message) => {
    expect(() => logEspRatio(x, k, options)).toThrow(`logEspRatio: ${message}`);
  });
});
