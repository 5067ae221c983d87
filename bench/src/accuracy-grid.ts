/**
 * The grid on which the accuracy contract is held: every quantity, judged by the oracle, over n, k, temperature and
 * families of scores.
 */
import { errorInU } from "@smooth-topk/conformance";
import type { Oracle } from "@smooth-topk/conformance/oracle";
import { inclusionProbabilities, logEsp } from "@smooth-topk/esym";
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { families, seeded } from "./score-families.ts";

/** Gradient entries below this are outside the contract. */
const SMALLEST_GRADIENT = 1e-280;
/** Losses below this are subnormal or nearly so. */
const SMALLEST_LOSS = 1e-300;

export type Quantity = "log sigma_j" | "inclusion probability" | "loss" | "gradient" | "cross-entropy" | "its gradient";

/** One error: in u, and as a fraction of what the contract allows. */
export interface Measurement {
  readonly quantity: Quantity;
  readonly family: string;
  readonly n: number;
  readonly k: number;
  readonly tau: number;
  readonly error: number;
  readonly allowed: number;
}

export interface Cell {
  readonly n: number;
  readonly k: number;
}

const TEMPERATURES = [1e-3, 0.1, 1, 1e3];

/** All k for small n; for larger n, k up to 200. */
export function cells(largest: number): Cell[] {
  const out: Cell[] = [];
  for (const n of [2, 3, 5, 8]) for (let k = 1; k < n; k++) out.push({ n, k });
  for (const n of [30, 100, 1000, 10_000]) {
    if (n > largest) continue;
    for (const k of [1, 2, 5, 20, 50, 100, 200]) if (k < n) out.push({ n, k });
    if (n <= 1000) out.push({ n, k: n - 1 }, { n, k: n - 10 });
  }
  return out;
}

/** Entries whose gradient is judged: all of a short row, else the ends of the order and a spread between. */
function judged(scores: Float64Array, label: number): number[] {
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
  if (order.length <= 30) return order;
  const step = Math.floor(order.length / 8);
  return [
    ...new Set([label, ...order.slice(0, 8), ...order.filter((_, r) => r % step === 0), order[order.length - 1]]),
  ];
}

/** Measures every quantity in a cell. */
export function* measure(oracle: Oracle, { n, k }: Cell, seed: number): Generator<Measurement> {
  const names = Object.keys(families);
  for (const [f, family] of names.entries()) {
    const random = seeded(seed + 1000 * f + n + 31 * k);
    const scores = families[family](n, random);
    let label = Math.floor(random() * n);
    if (scores[label] === -Infinity) scores[label] = 0;
    const select = judged(scores, label);
    yield* measureEsp(oracle, family, scores, k, select);
    if (k === 1) yield* measureCrossEntropy(oracle, family, scores, label, select);
    for (const tau of TEMPERATURES) {
      // The label by chance, above all others and below all others in turn.
      const where = TEMPERATURES.indexOf(tau) % 3;
      if (where > 0) {
        const finite = [...scores].filter((s) => s > -Infinity);
        label = scores.indexOf(where === 1 ? Math.max(...finite) : Math.min(...finite));
      }
      yield* measureLoss(oracle, { family, n, k, tau }, scores, label, [...new Set([...select, label])]);
    }
  }
}

function* measureEsp(
  oracle: Oracle,
  family: string,
  x: Float64Array,
  k: number,
  select: number[],
): Generator<Measurement> {
  const n = x.length;
  const place = { family, n, k, tau: NaN };
  const actual = logEsp(x, k).data;
  const expected = oracle.logEsp(x, k);
  for (let j = 0; j <= k; j++) {
    const error = errorInU(actual[j], expected[j], Math.max(1, Math.abs(expected[j])));
    yield { quantity: "log sigma_j", ...place, error, allowed: 8 };
  }
  const pi = inclusionProbabilities(x, k).data;
  const exact = oracle.inclusionProbabilities(x, k, { select });
  for (const [s, i] of select.entries()) {
    if (exact[s] >= SMALLEST_GRADIENT) {
      yield { quantity: "inclusion probability", ...place, error: errorInU(pi[i], exact[s]), allowed: 64 * k };
    }
  }
}

function* measureLoss(
  oracle: Oracle,
  place: { readonly family: string; readonly n: number; readonly k: number; readonly tau: number },
  scores: Float64Array,
  label: number,
  select: number[],
): Generator<Measurement> {
  const { k, tau } = place;
  const { value, grad } = smoothTopkLossValueAndGrad(scores, label, { k, tau });
  const exact = oracle.smoothTopkLoss(scores, label, { k, tau }, { select });
  if (exact.loss >= SMALLEST_LOSS || exact.loss === 0) {
    yield {
      quantity: "loss",
      ...place,
      error: errorInU(value, exact.loss),
      allowed: Math.min(9, 8 + Math.abs(exact.z)),
    };
  }
  for (const [s, i] of select.entries()) {
    if (Math.abs(exact.grad[s]) >= SMALLEST_GRADIENT) {
      yield { quantity: "gradient", ...place, error: errorInU(grad.data[i], exact.grad[s]), allowed: 64 * k };
    }
  }
}

function* measureCrossEntropy(
  oracle: Oracle,
  family: string,
  scores: Float64Array,
  label: number,
  select: number[],
): Generator<Measurement> {
  const place = { family, n: scores.length, k: 1, tau: 1 };
  const { value, grad } = crossEntropyValueAndGrad(scores, label);
  const exact = oracle.crossEntropy(scores, label, { select });
  if (exact.loss >= SMALLEST_LOSS || exact.loss === 0) {
    yield { quantity: "cross-entropy", ...place, error: errorInU(value, exact.loss), allowed: 8 };
  }
  for (const [s, i] of select.entries()) {
    if (Math.abs(exact.grad[s]) >= SMALLEST_GRADIENT) {
      yield { quantity: "its gradient", ...place, error: errorInU(grad.data[i], exact.grad[s]), allowed: 64 };
    }
  }
}
