import ndarray, { type NdArray } from "ndarray";
import { describe, expect, it } from "vitest";
import { checkGrads, defineVjp, exp, mul, type Operand, type Tensor, Traced } from "../index.ts";

/** x^2 with a rule that is wrong at the element that is 3. */
const wrongAtThree = defineVjp<[Operand]>({
  name: "wrongAtThree",
  forward: (x) => mul(x, x) as NdArray,
  vjps: {
    x: (g, _answer, x) => {
      const factor = ndarray(Float64Array.of(2, 2, 2.001, 2), [2, 2]);
      return mul(g, mul(factor, x));
    },
  },
});

const values = [1, 2, 3, 4];
const x = { layers: [ndarray(Float64Array.from(values), [2, 2])] };

describe("checkGrads", () => {
  it("names the worst entry, both values and what was allowed", () => {
    expect(() => checkGrads((p: { layers: Tensor[] }) => wrongAtThree(p.layers[0]), x)).toThrow(
      /checkGrads: the derivative of order 1 in x\.layers\[0\]\[1, 0\] is -?\d\S+ by vjp and -?\d\S+ by differences, \S+ apart, expected at most \S+/,
    );
  });

  it("finds a rule that is right in value and wrong in its own derivative", () => {
    // The rule of the square is right, but its factor 2 x is taken out of its traces: its derivative is missing.
    const untraced = defineVjp<[Operand]>({
      name: "untraced",
      forward: (t) => mul(t, t) as NdArray,
      vjps: {
        x: (g, _answer, t) => {
          let inner = t;
          while (inner instanceof Traced) inner = inner.value;
          return mul(g, mul(2, inner));
        },
      },
    });
    const f = (p: { layers: Tensor[] }): Operand => untraced(p.layers[0]);
    expect(() => checkGrads(f, x)).not.toThrow();
    expect(() => checkGrads(f, x, { order: 2 })).toThrow("checkGrads: the derivative of order 2 in x.layers[0]");
  });

  it("takes its step from the precision, so that right rules pass in both", () => {
    const single = ndarray(Float32Array.from(values), [4]);
    expect(() => checkGrads((t: Tensor) => exp(t), single)).not.toThrow();
    expect(() => checkGrads((t: Tensor) => exp(t), single, { step: 1e-7 })).toThrow("checkGrads");
  });

  it("reports a NaN", () => {
    const f = defineVjp<[Operand]>({
      name: "f",
      forward: (t) => exp(t) as NdArray,
      vjps: { x: (g) => mul(g, NaN) },
    });
    expect(() => checkGrads(f, 1)).toThrow("is NaN by vjp");
  });

  it("uses a tolerance that is given", () => {
    const f = (p: { layers: Tensor[] }): Operand => wrongAtThree(p.layers[0]);
    expect(() => checkGrads(f, x, { tolerance: 0.01 })).not.toThrow();
  });
});
