/**
 * Random expressions of grad's primitives: gradients against central differences, to second order, and sums of
 * log-sum-exp gradients wherever the scores lie.
 */
import {
  checkGrads,
  exp,
  grad,
  log1p,
  logistic,
  logSumExp,
  max,
  mean,
  mul,
  type Operand,
  relu,
  softplus,
  sum,
  tanh,
  type Tensor,
} from "@smooth-topk/grad";
import ndarray from "ndarray";
import type { Area, Family, Judged } from "./area.ts";
import { simplerNumbers, withoutParts } from "./shrink.ts";

export interface GradCase {
  readonly x: readonly number[];
  /** Names of unary primitives, applied in this order; then the reduction. */
  readonly chain: readonly string[];
  readonly reduction: string;
}

const U = 2 ** -53;

const chains: Readonly<Record<string, (x: Operand) => Tensor>> = {
  tanh,
  logistic,
  softplus,
  relu,
  expTanh: (x) => exp(tanh(x)),
  logSquare: (x) => log1p(mul(x, x)),
};
const reductions: Readonly<Record<string, (x: Operand) => Tensor>> = {
  sum: (x) => sum(x),
  mean: (x) => mean(x),
  max: (x) => max(x),
  logSumExp: (x) => logSumExp(x),
};

const families: readonly Family<GradCase>[] = [
  {
    name: "expressions",
    draw: (random) => ({
      // Sizes at least 0.3 apart and away from 0: differences with small steps meet no kink, of even functions neither.
      x: Array.from({ length: random.integer(1, 6) }, (_, i) => (i + 1) * random.pick([-0.3, 0.3])),
      chain: Array.from({ length: random.integer(0, 3) }, () => random.pick(Object.keys(chains))),
      reduction: random.pick(Object.keys(reductions)),
    }),
  },
  {
    name: "log-sum-exp far out",
    draw: (random) => {
      const offset = random.pick([0, 1, 1e6, 1e12, 1e16, -1e16, 1e300]);
      const x = Array.from({ length: random.integer(1, 40) }, () => offset + random.normal() * random.pick([0, 1, 30]));
      return { x: x.map((v) => (random.uniform() < 0.1 ? -Infinity : v)), chain: [], reduction: "logSumExp" };
    },
  },
];

const arrayOf = (x: readonly number[]) => ndarray(Float64Array.from(x), [x.length]);

function apply({ chain, reduction }: GradCase, x: Tensor): Tensor {
  return reductions[reduction](chain.reduce((value: Tensor, name) => chains[name](value), x));
}

export function gradArea(): Area<GradCase> {
  return {
    families,
    close: () => {},
    judge: (example) => {
      const x = arrayOf(example.x);
      return example.reduction === "logSumExp" && example.chain.length === 0 ? sums(example) : differences(example, x);
    },
    *simpler(example) {
      for (const x of withoutParts(example.x)) if (x.length > 0) yield { ...example, x };
      for (const chain of withoutParts(example.chain)) yield { ...example, chain };
      for (const [i, value] of example.x.entries()) {
        for (const simple of simplerNumbers(value)) yield { ...example, x: example.x.with(i, simple) };
      }
    },
  };
}

function differences(example: GradCase, x: Tensor): Judged {
  try {
    checkGrads((t: Tensor) => apply(example, t), x, { order: 2 });
    return { used: 0, reason: "" };
  } catch (error) {
    return { used: Infinity, reason: String(error) };
  }
}

/** The gradient of log-sum-exp is a distribution: it sums to 1 within the n + 3 roundings of its terms and their sum. */
function sums({ x }: GradCase): Judged {
  if (!x.some((v) => v > -Infinity)) return { used: 0, reason: "" };
  const gradient = grad((t: Tensor) => logSumExp(t))(arrayOf(x)).data as Float64Array;
  const total = gradient.reduce((a, b) => a + b, 0);
  const used = Math.abs(total - 1) / ((x.length + 3) * U);
  return { used: used >= 0 ? used : Infinity, reason: `the gradient of logSumExp sums to ${total}` };
}
