/**
 * Checks, before anything is timed, that contenders compute the same: a fast wrong answer is no contender.
 */
import { logEsp, logEspVjp } from "@smooth-topk/esym";
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import type { ScoreBatch, ScoreMatrix } from "./score-batch.ts";

/** @throws Error if two vectors differ by more than `tolerance` times the largest entry of the second. */
export function expectSame(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} values, expected ${expected.length}`);
  }
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance * largest)) {
      throw new Error(`${what}: value ${i} is ${actual[i]}, expected ${expected[i]} within ${tolerance * largest}`);
    }
  }
}

function rounding(scores: ScoreMatrix): number {
  return scores.data instanceof Float32Array ? 2 ** -23 : 1e-13;
}

/** The smooth top-k loss at k = 1, tau = 1, alpha = 0 is the cross-entropy: same values, same gradients. */
export function expectCrossEntropy({ scores, labels }: ScoreBatch): void {
  const ours = smoothTopkLossValueAndGrad(scores, labels, { k: 1, alpha: 0, reduction: "none" });
  const theirs = crossEntropyValueAndGrad(scores, labels, { reduction: "none" });
  expectSame("cross-entropy, loss", ours.value, theirs.value, 1e-13);
  expectSame("cross-entropy, gradient", ours.grad.data, theirs.grad.data, rounding(scores));
}

/**
 * The fused loss and gradient of the first rows against the formula by other code: log sigma by divide and conquer, the
 * gradient as a vector-Jacobian product with cotangent e_k - e_{k-1}. That difference cancels: 1e-9 is what it keeps.
 */
export function expectFormula({ scores, labels }: ScoreBatch, k: number, tau: number, rows: number): void {
  const alpha = 1;
  const [batch, n] = scores.shape;
  const { value, grad } = smoothTopkLossValueAndGrad(scores, labels, { k, tau, alpha, reduction: "none" });
  const cotangent = new Float64Array(k + 1);
  cotangent[k] = 1;
  cotangent[k - 1] = -1;
  for (let b = 0; b < Math.min(rows, batch); b++) {
    const label = labels[b];
    const x = Float64Array.from({ length: n }, (_, i) => scores.get(b, i) / (k * tau));
    const labelValue = x[label];
    x[label] = -Infinity;
    const logSigma = logEsp(x, k, { algorithm: "divide-and-conquer" }).data;
    const z = alpha / tau + logSigma[k] - logSigma[k - 1] - labelValue;
    const softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
    expectSame(`loss of row ${b}`, [value[b]], [tau * softplus], 1e-9);
    const w = 1 / (1 + Math.exp(-z));
    const expected = logEspVjp(x, k, cotangent).data.map((v) => (w / k) * v);
    expected[label] = -w / k;
    const actual = Float64Array.from({ length: n }, (_, i) => grad.get(b, i));
    expectSame(`gradient of row ${b}`, actual, expected, Math.max(1e-9, rounding(scores)));
  }
}
