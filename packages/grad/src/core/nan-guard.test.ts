import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { div, grad, log, mul, type Operand, sqrt, sum, type Tensor, withNanGuard } from "../index.ts";

const x = ndarray(Float64Array.of(1, 2, -3, 4), [2, 2]);

describe("the NaN guard", () => {
  it("names the primitive and the index", () => {
    expect(() => withNanGuard(() => sum(log(x)))).toThrow("log: NaN at [1, 0] of its result, of arguments without one");
  });

  it("names the rule in a backward pass", () => {
    // 0 times the infinite slope of the root at 0
    const f = (t: Operand): Operand => mul(0, sqrt(t));
    expect(() => withNanGuard(() => grad(f)(0))).toThrow(
      "div: NaN at [] of its result, of arguments without one, in the rule of sqrt for x",
    );
  });

  it("lets a NaN pass that comes from outside", () => {
    expect(withNanGuard(() => (sum(mul(NaN, x)) as typeof x).get())).toBeNaN();
  });

  it("is off otherwise, and again after an error", () => {
    expect(() => withNanGuard(() => div(0, 0))).toThrow("div");
    expect(grad((t: Tensor) => sum(sqrt(t)))(x).get(1, 0)).toBeNaN();
  });

  it("returns what the function returns", () => {
    expect(withNanGuard(() => grad((t: Operand) => mul(t, t))(3))).toBe(6);
  });
});
