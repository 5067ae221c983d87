/**
 * The tape lives as long as the results that need it, and no longer.
 */
import ndarray from "ndarray";
import { describe, expect, it } from "vitest";
import * as g from "../index.ts";
import { type FloatArray, grad, type Operand, type Tensor, valueAndGrad, vjp } from "../index.ts";

const collect = globalThis.gc as () => void;

/** Bytes in use after a collection: objects, and the memory of typed arrays. */
function bytesInUse(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

interface Network {
  readonly first: Tensor;
  readonly second: Tensor;
}

/** Two layers and the log-ratio of their outputs: arithmetic, a matrix product and an elementary symmetric polynomial. */
function loss({ first, second }: Network, x: FloatArray): Operand {
  const hidden = g.relu(g.matmul(x, first));
  return g.mean(g.softplus(g.logEspRatio(g.matmul(hidden, second), 3)));
}

const next = random(7);
const batch = 32;
const initial = { first: g.heNormal([20, 64], 20, next), second: g.heNormal([64, 30], 64, next) };
const x = ndarray(
  Float64Array.from({ length: batch * 20 }, () => next() - 0.5),
  [batch, 20],
);
const optimiser = g.adam({ learningRate: 1e-3 });

function train(steps: number): number {
  let params = initial;
  let state = optimiser.init(params);
  let last = NaN;
  for (let step = 0; step < steps; step++) {
    const found = valueAndGrad(loss)(params, x);
    ({ params, state } = optimiser.update(params, found.grad, state));
    last = found.value;
  }
  return last;
}

/**
 * The least that memory grows over a stretch of work, of four stretches: a leak shows in each of them, what the optimiser
 * or the test runner happens to allocate does not.
 */
function steadyGrowth(work: () => unknown): number {
  work();
  let least = Infinity;
  for (let stretch = 0; stretch < 4; stretch++) {
    const before = bytesInUse();
    work();
    least = Math.min(least, bytesInUse() - before);
  }
  return least;
}

describe("memory", () => {
  it("does not grow over a long training loop", () => {
    const steps = 100;
    expect(train(steps)).toBeLessThan(train(1));
    // One step's tape holds over 100 KiB: hidden layer, outputs and their cotangents, 32 x (64 + 30) doubles each, several
    // times over. Were one in a hundred kept, every stretch would add that.
    expect(steadyGrowth(() => train(steps))).toBeLessThan(64 * 1024);
  });

  it("does not grow over a loop of second derivatives", () => {
    const curvature = (): void => {
      for (let step = 0; step < 20; step++) g.hvp((p: Network) => loss(p, x), initial, initial);
    };
    expect(steadyGrowth(curvature)).toBeLessThan(64 * 1024);
  });

  it("is held by a pull-back and freed with it", () => {
    const size = 1 << 20;
    const large = ndarray(new Float64Array(size).fill(0.5), [size]);
    const before = bytesInUse();
    let pull: ((cotangent: Operand) => unknown) | null = vjp(
      (t: Tensor) => g.sum(g.exp(g.sqrt(g.mul(t, t)))),
      large,
    ).vjp;
    // x^2, its root and the exponential, 8 MiB each
    expect(bytesInUse() - before).toBeGreaterThan(2 * 8 * size);
    pull(1);
    pull = null;
    expect(bytesInUse() - before).toBeLessThan(4 * size);
    expect(large.data[size - 1]).toBe(0.5);
  });

  it("is not held by a gradient", () => {
    const size = 1 << 20;
    const large = ndarray(new Float64Array(size).fill(0.5), [size]);
    const before = bytesInUse();
    const slope = grad((t: Tensor) => g.sum(g.exp(g.exp(t))))(large);
    // The gradient itself is 8 MiB, and so would be each value that the tape kept.
    expect(bytesInUse() - before).toBeLessThan(12 * size);
    expect(slope.data).toHaveLength(size);
  });
});
