/**
 * The smooth top-k loss and its gradient, held to min(9, 8 + |z|) u and 64 k u. The fast judge looks at every case, the
 * oracle at what comes near a limit and at what the fast one cannot say.
 */
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import type { DoubleDouble } from "@smooth-topk/esym/kernel";
import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import type { Area, Judged } from "./area.ts";
import { lossFamilies } from "./loss-families.ts";
import { judgeLoss, type LossCase } from "./loss-judge.ts";
import { simplerNumbers, withoutParts } from "./shrink.ts";

const U = 2 ** -53;
/** Below this the contract promises nothing but smallness. */
const FLOOR = 1e-280;
/** What the fast judge finds above this part of what is allowed is judged again by the oracle. */
const NEAR = 0.75;

export type LossFunction = (example: LossCase) => { readonly value: number; readonly grad: ArrayLike<number> };

const library: LossFunction = ({ scores, label, k, tau, alpha }) => {
  const { value, grad } = smoothTopkLossValueAndGrad(scores, label, { k, tau, alpha });
  return { value, grad: grad.data };
};

/** An error in parts of what is allowed. */
function used(actual: number, expected: DoubleDouble, allowedInU: number): number {
  const size = Math.abs(expected[0]);
  if (size < FLOOR) return Math.abs(actual) <= 2 * FLOOR ? 0 : Infinity;
  const error = Math.abs(actual - expected[0] - expected[1]) / size;
  // NaN fails.
  return error >= 0 ? error / (allowedInU * U) : Infinity;
}

const allowedOfLoss = (z: number): number => Math.min(9, 8 + Math.abs(z));

function worse(a: Judged, share: number, what: string): Judged {
  return share > a.used ? { used: share, reason: `${what} uses ${share.toPrecision(3)} of what is allowed` } : a;
}

/** @param subject  what is fuzzed; the library unless a test wants to see a fault found. */
export async function lossArea(subject: LossFunction = library): Promise<Area<LossCase>> {
  const oracle = await createOracle();
  return {
    families: lossFamilies,
    judge: (example) => {
      const found = subject(example);
      const fast = byFastJudge(example, found);
      return fast === null || fast.used > NEAR ? byOracle(oracle, example, found) : fast;
    },
    simpler,
    close: () => oracle.destroy(),
  };
}

function byFastJudge(example: LossCase, { value, grad }: ReturnType<LossFunction>): Judged | null {
  const { scores, label, k } = example;
  // Any entry will do, and the scores say which: the same case is always judged alike.
  const entry = (label + 1 + (Math.abs(Math.trunc(scores[0] * 1e3)) % (scores.length - 1))) % scores.length;
  const judged = judgeLoss(example, entry);
  if (judged === null) return null;
  let result: Judged = { used: 0, reason: "" };
  result = worse(result, used(value, judged.loss, allowedOfLoss(judged.z)), `loss ${value}`);
  result = worse(result, used(grad[label], judged.atLabel, 64 * k), `grad[${label}] ${grad[label]}`);
  return worse(result, used(grad[entry], judged.atEntry, 64 * k), `grad[${entry}] ${grad[entry]}`);
}

function byOracle(oracle: Oracle, { scores, label, ...rest }: LossCase, found: ReturnType<LossFunction>): Judged {
  const exact = oracle.smoothTopkLoss(scores, label, rest);
  let result: Judged = { used: 0, reason: "" };
  result = worse(
    result,
    used(found.value, [exact.loss, 0], allowedOfLoss(exact.z)),
    `loss ${found.value} for ${exact.loss}`,
  );
  for (let i = 0; i < scores.length; i++) {
    const share = used(found.grad[i], [exact.grad[i], 0], 64 * rest.k);
    result = worse(result, share, `grad[${i}] ${found.grad[i]} for ${exact.grad[i]}`);
  }
  return result;
}

function* simpler(example: LossCase): Generator<LossCase> {
  const { scores, label, k, tau, alpha } = example;
  const others = scores.toSpliced(label, 1);
  for (const left of withoutParts(others)) {
    if (left.length >= 1) yield { ...example, scores: [scores[label], ...left], label: 0, k: Math.min(k, left.length) };
  }
  if (k > 1) yield { ...example, k: k - 1 };
  for (const value of simplerNumbers(tau)) if (value > 0) yield { ...example, tau: value };
  for (const value of simplerNumbers(alpha)) yield { ...example, alpha: value };
  for (const [i, s] of scores.entries()) {
    for (const value of simplerNumbers(s)) yield { ...example, scores: scores.with(i, value) };
  }
}
