/**
 * The core: what vjp, grad, valueAndGrad and hvp promise whatever the primitives are.
 */
import * as fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import { anyShape, stridedArray } from "../../testing/strided-arrays.ts";
import * as g from "../index.ts";
import { type FloatArray, grad, hvp, type Operand, type Tensor, valueAndGrad, vjp } from "../index.ts";

const vector = (...x: number[]): FloatArray => ndarray(Float64Array.from(x), [x.length]);
const list = (x: unknown): number[] => [...(x as FloatArray).data];

describe("grad", () => {
  it("gives numbers for numbers and trees for trees", () => {
    const f = (p: { w: Tensor; scale: Operand; layers: readonly Tensor[] }): Operand =>
      g.add(g.mul(p.scale, g.sum(g.mul(p.w, p.w))), g.sum(g.mul(p.layers[0], p.layers[1])));
    const params = { w: vector(1, 2), scale: 3, layers: [vector(4, 5), vector(6, 7)] };
    const { value, grad: slope } = valueAndGrad(f)(params);
    expect(value).toBe(15 + 24 + 35);
    expect(list(slope.w)).toEqual([6, 12]);
    expect(slope.scale).toBe(5);
    expect(slope.layers.map(list)).toEqual([
      [6, 7],
      [4, 5],
    ]);
  });

  it("passes other arguments on and does not differentiate them", () => {
    expect(grad((x: Operand, p: number) => g.pow(x, p))(2, 5)).toBe(80);
  });

  it("is zero, of the right shape, where the function does not depend on its argument", () => {
    const slope = grad((p: { a: Tensor; b: Operand }) => g.sum(p.a))({ a: vector(1, 2), b: 7 });
    expect(slope.b).toBe(0);
    const constant: (x: Tensor) => Operand = () => 3;
    expect(list(grad(constant)(vector(1, 2)))).toEqual([0, 0]);
  });

  it("adds up what arrives along several paths", () => {
    // f = x y + x exp(x), and x y is used twice
    const f = (x: Operand, y: Operand): Operand => {
      const product = g.mul(x, y);
      return g.add(g.mul(product, product), g.mul(x, g.exp(x)));
    };
    expect(grad((x: Operand) => f(x, 3))(2)).toBeCloseTo(2 * 6 * 3 + 3 * Math.exp(2), 12);
  });

  it("keeps the precision of each leaf", () => {
    const slope = grad((p: { a: Tensor; b: Tensor }) => g.sum(g.mul(p.a, p.b)))({
      a: ndarray(Float32Array.of(1, 2), [2]),
      b: vector(3, 4),
    });
    expect(slope.a.data).toBeInstanceOf(Float32Array);
    expect(slope.b.data).toBeInstanceOf(Float64Array);
  });
});

describe("nesting", () => {
  it("gives derivatives of any order: the m-th of x^5 and of exp(2 x)", () => {
    let f = (x: Operand): Operand => g.pow(x, 5);
    let e = (x: Operand): Operand => g.exp(g.mul(2, x));
    let factor = 1;
    for (let m = 1; m <= 6; m++) {
      f = grad(f) as typeof f;
      e = grad(e) as typeof e;
      factor *= 6 - m;
      // Powers of 3 up to 3^5 times 5! are exact; 2^m exp(1) is rounded in exp alone, by one ulp at most.
      expect(f(3)).toBe(factor === 0 ? 0 : factor * 3 ** (5 - m));
      expect(Math.abs((e(0.5) as number) / (2 ** m * Math.E) - 1)).toBeLessThanOrEqual(2 ** -51);
    }
  });

  it("keeps an inner variable apart from an outer one", () => {
    // d/dx [x d/dy (x + y)] = 1, where confusing the two would give 2 x or x + 1.
    expect(grad((x: Operand) => g.mul(x, grad((y: Operand) => g.add(x, y))(1)))(5)).toBe(1);
    // d/dx [x d/dy (x y^2)] at y = x is d/dx [2 x^3]
    expect(grad((x: Operand) => g.mul(x, grad((y: Operand) => g.mul(x, g.mul(y, y)))(x)))(5)).toBe(150);
  });

  it("differentiates pull-backs in their cotangent too", () => {
    // <v, J^T c> has the gradient J v in c.
    const f = (x: Tensor): Tensor => g.exp(x);
    const x = vector(0.5, -1);
    const v = vector(2, 3);
    const slope = grad((c: Tensor) => g.sum(g.mul(v, vjp(f, x as Tensor).vjp(c)[0])))(vector(1, 1));
    expect(list(slope)).toEqual([2 * Math.exp(0.5), 3 * Math.exp(-1)]);
  });

  it("records traced values of an outer level in the value", () => {
    const slope = grad((x: Operand) => {
      const { value, grad: inner } = valueAndGrad((y: Operand) => g.mul(g.mul(y, y), y))(x);
      return g.mul(value, inner); // x^3 3 x^2
    })(2);
    expect(slope).toBe(15 * 2 ** 4);
  });
});

describe("vjp", () => {
  it("pulls any number of cotangents back through one run of the function", () => {
    let runs = 0;
    const { value, vjp: pull } = vjp((x: Tensor, y: Operand) => (runs++, g.mul(x, y)), vector(1, 2), 3);
    expect(list(value)).toEqual([3, 6]);
    for (const c of [1, 2]) {
      const [x, y] = pull(vector(c, -c));
      expect([list(x), y]).toEqual([[3 * c, -3 * c], -c]);
    }
    expect(runs).toBe(1);
  });

  it("hands out memory that is neither the primals' nor the cotangent's", () => {
    const views: [string, (x: Tensor) => Tensor][] = [
      ["identity", (x) => x],
      ["transpose", (x) => g.transpose(x)],
      ["reshape", (x) => g.reshape(x, [-1])],
      ["slice", (x) => g.slice(x, [0])],
      ["broadcastTo", (x) => g.broadcastTo(x, x.shape)],
      ["gather", (x) => g.gather(x, [0, 1], 0)],
      ["cast", (x) => g.cast(x, "float64")],
      ["add", (x) => g.add(x, 0)],
      ["sum", (x) => g.sum(x)],
    ];
    const x = ndarray(Float64Array.of(1, 2, 3, 4), [2, 2]);
    for (const [name, f] of views) {
      const { value, vjp: pull } = vjp(f, x);
      const cotangent = g.mul(2, g.broadcastTo(1, value.shape)) as FloatArray;
      const [slope] = pull(cotangent);
      expect([name, slope.data.buffer === cotangent.data.buffer, slope.data.buffer === x.data.buffer]).toEqual([
        name,
        false,
        false,
      ]);
      expect([name, slope.data.length]).toEqual([name, 4]);
    }
  });

  it("hands out a copy where a rule gives an array that was there before", () => {
    const constant = g.exp(vector(1, 2)) as FloatArray;
    const withRule = (slope: (x: Operand) => Operand): ((x: Operand) => Tensor) =>
      g.defineVjp<[Operand]>({
        name: "withRule",
        forward: () => ndarray(Float64Array.of(5), []),
        vjps: { x: (cotangent, _answer, x) => g.mul(cotangent, slope(x)) },
      });
    const primal = g.exp(vector(3, 4)) as FloatArray;
    expect(grad(withRule(() => constant))(primal).data).not.toBe(constant.data);
    expect(grad(withRule((x) => x))(primal).data).not.toBe(primal.data);
  });

  it("changes neither primals nor cotangents", () => {
    const cases = anyShape.chain((shape) => fc.tuple(stridedArray(shape), stridedArray(shape)));
    fc.assert(
      fc.property(cases, ([x, c]) => {
        const before = [x.data.slice(), c.data.slice()];
        vjp((t: Tensor) => g.add(t, g.tanh(g.mul(t, t))), x).vjp(c);
        expect([x.data, c.data]).toEqual(before);
      }),
    );
  });
});

describe("hvp", () => {
  const f = (p: { w: Tensor; b: Operand }): Operand => g.logSumExp(g.mul(g.exp(p.w), p.b));
  const trees = fc.record({ w: stridedArray([4]), b: fc.double({ min: -2, max: 2, noNaN: true }) });

  it("is symmetric: <u, H v> = <v, H u>", () => {
    const dot = (a: { w: FloatArray; b: number }, b: { w: FloatArray; b: number }): number =>
      list(g.sum(g.mul(a.w, b.w)))[0] + a.b * b.b;
    fc.assert(
      fc.property(trees, trees, trees, (x, u, v) => {
        const [left, right] = [dot(u, hvp(f, x, v)), dot(v, hvp(f, x, u))];
        // Entries of H are at most (e^2 2)^2 + e^2 2 < 240, those of u and v at most 2: 25 products of fewer than 1000,
        // each after about 40 roundings.
        expect(Math.abs(left - right)).toBeLessThanOrEqual(25 * 1000 * 40 * 2 ** -53);
      }),
    );
  });

  it("is exact on a quadratic form", () => {
    const a = ndarray(Float64Array.of(2, 1, 1, 3), [2, 2]);
    const quadratic = (x: Tensor): Operand => g.matmul(x, g.matmul(a, x));
    expect(list(hvp(quadratic, vector(5, 7), vector(1, -1)))).toEqual([2, -4]);
  });
});
