/**
 * Ports with one mistake each: those that people make when they port these losses. The vectors have to find every one.
 */
import { type Factor, type Polynomial, product } from "./factors.ts";
import { CORRECT_SPLIT, lightAndHeavy, type Split } from "./light-and-heavy.ts";
import { correct, type LossAndGrad, scaled, type Steps } from "./straightforward.ts";
import { exponential, type Pair } from "./two-fold.ts";

export interface Mutant {
  readonly name: string;
  readonly steps: Partial<Steps>;
  /** Flags of cases that find it: at least one case of each does. */
  readonly foundBy: readonly string[];
}

const identity = (x: number): number => x;

/** log(e^p - e^q), 0 where rounding has made q the larger. */
function logDifference(p: number, q: number): number {
  return q >= p ? -Infinity : p + Math.log1p(-Math.exp(q - p));
}

/** d_j = P_j - (b / a) d_{j-1} for factors a + b X, in logarithms, whatever the size of b / a. */
const recurrence: Steps["allButOne"] = (factors, k) => {
  const all = product(factors, k, identity, 2 ** 400);
  const logs = all.c.map((c) => Math.log(c));
  return factors.map(({ a, b }): Polynomial => {
    const d: number[] = [];
    for (let j = 0; j <= k; j++) {
      const lower = j === 0 ? -Infinity : Math.log(b) + d[j - 1];
      d.push(logDifference(logs[j], lower) - Math.log(a));
    }
    const most = Math.max(...d);
    return { c: d.map((value) => Math.exp(value - most)), t: [], scale: 0 };
  });
};

const withFactor = (factor: (x: number, centre: number, temperature: Pair) => Factor): Partial<Steps> => ({ factor });

/** 1 + e X of entries that are not shifted. */
const unshifted: Partial<Steps> = {
  centre: () => 0,
  factor: (x, _, temperature) => ({ a: 1, b: exponential(scaled(x, 0, temperature)) }),
};

const change =
  (of: (right: LossAndGrad) => LossAndGrad): Steps["smoothRow"] =>
  (steps, input, row) =>
    of(correct.smoothRow(steps, input, row));

/** A port that is fast by light and heavy entries. */
export const bySplit = (split: Partial<Split>): Partial<Steps> => ({
  product: (factors, k, { limit }) => lightAndHeavy(factors, k, limit, { ...CORRECT_SPLIT, ...split }),
});

const sorted = (values: readonly number[]): number[] => values.toSorted((p, q) => q - p);

export const mutants: readonly Mutant[] = [
  {
    name: "leave-one-out by the log-space recurrence, without the stable branch",
    steps: { allButOne: recurrence },
    foundBy: ["DominantClass", "CatastrophicCancellation", "SmallTau"],
  },
  {
    name: "single precision inside",
    steps: {
      round: Math.fround,
      ...withFactor((x, centre, temperature) => {
        const { a, b } = correct.factor(x, centre, temperature);
        return { a: Math.fround(a), b: Math.fround(b) };
      }),
    },
    foundBy: ["Typical", "PaperFormula"],
  },
  {
    name: "exponentials in single precision only",
    steps: withFactor((x, centre, temperature) => {
      const { a, b } = correct.factor(x, centre, temperature);
      return { a: Math.fround(a), b: Math.fround(b) };
    }),
    foundBy: ["Typical", "CrossEntropyCase"],
  },
  {
    name: "a missing 1/k in the scores",
    steps: { temperature: (_, tau) => [tau, 0] },
    foundBy: ["PaperFormula", "Typical"],
  },
  {
    name: "a missing 1/k in the gradient",
    steps: {
      smoothRow: (steps, input, row) => {
        const { loss, grad } = correct.smoothRow(steps, input, row);
        return { loss, grad: grad.map((g) => g * input.k) };
      },
    },
    foundBy: ["PaperFormula"],
  },
  {
    name: "alpha on the wrong side",
    steps: {
      argument: (input, ...rest) => correct.argument({ ...input, alpha: -input.alpha }, ...rest),
    },
    foundBy: ["PaperFormula", "MarginNotOne"],
  },
  {
    name: "alpha not divided by tau",
    steps: {
      argument: (input, ...rest) => correct.argument({ ...input, alpha: input.alpha * input.tau }, ...rest),
    },
    foundBy: ["SmallTau", "LargeTau"],
  },
  {
    name: "alpha divided by k",
    steps: {
      argument: (input, ...rest) => correct.argument({ ...input, alpha: input.alpha / input.k }, ...rest),
    },
    foundBy: ["PaperFormula"],
  },
  {
    name: "k and k - 1 swapped",
    steps: { ratio: ({ c }, k) => c[k - 1] / c[k] },
    foundBy: ["PaperFormula", "Ties", "KEqualsNMinus1"],
  },
  {
    name: "order k - 1 for order k",
    steps: { ratio: ({ c }, k) => (k === 1 ? c[1] / c[0] : c[k - 1] / c[k - 2]) },
    foundBy: ["PaperFormula", "LargeK"],
  },
  {
    name: "the hard loss where the gap at the k-th place is above k tau log 1000",
    steps: {
      isHard: (others, { k, tau }) => {
        const descending = sorted(others);
        return descending.length === k || descending[k - 1] - descending[k] >= k * tau * Math.log(1000);
      },
    },
    foundBy: ["HardSwitch", "SmallTau", "KEqualsNMinus1"],
  },
  {
    name: "the hard loss below a temperature",
    steps: { isHard: (_, { tau }) => tau < 0.01 },
    foundBy: ["SmallTau"],
  },
  {
    name: "log-sum-exp without the shift",
    steps: unshifted,
    foundBy: ["LargeScores", "ShiftedScores"],
  },
  {
    name: "s / (k tau) rounded before the difference is taken",
    steps: withFactor((x, centre, [temperature]) => {
      const q = x / temperature - centre / temperature;
      return q > 0 ? { a: Math.exp(-q), b: 1 } : { a: 1, b: Math.exp(q) };
    }),
    foundBy: ["ShiftedScores", "LargeScores"],
  },
  {
    name: "the label among the others",
    steps: { others: (scores) => correct.others(scores, -1) },
    foundBy: ["PaperFormula", "CrossEntropyCase"],
  },
  {
    name: "coefficients without scaling",
    steps: { limit: Infinity },
    foundBy: ["CoefficientOverflow"],
  },
  {
    name: "log(1 + e^z) for log1p",
    steps: {
      softplus: (ratio, a, tau) => {
        const { weight } = correct.softplus(ratio, a, tau);
        return { loss: a[0] > 600 ? tau * a[0] : tau * Math.log(1 + ratio * exponential(a)), weight };
      },
    },
    foundBy: ["ConfidentLabel"],
  },
  {
    name: "e^z that overflows",
    steps: {
      softplus: (ratio, a, tau) => {
        const odds = ratio * exponential(a);
        return { loss: tau * Math.log1p(odds), weight: odds / (1 + odds) };
      },
    },
    foundBy: ["ConfidentLabel", "SmallTau"],
  },
  {
    name: "the temperature left out in front of the loss",
    steps: {
      smoothRow: (steps, input, row) => {
        const { loss, grad } = correct.smoothRow(steps, input, row);
        return { loss: loss / input.tau, grad };
      },
    },
    foundBy: ["SmallTau", "LargeTau"],
  },
  {
    name: "the gradient as a difference of inclusion probabilities",
    steps: {
      difference: ({ a, b }, { c: d }, k) => {
        const below = k >= 2 ? d[k - 2] : 0;
        return (b * d[k - 1]) / (a * d[k] + b * d[k - 1]) - (b * below) / (a * d[k - 1] + b * below);
      },
    },
    foundBy: ["CatastrophicCancellation", "SmallTau"],
  },
  {
    name: "inclusion probabilities for the gradient, without those of order k - 1",
    steps: { difference: ({ a, b }, { c: d }, k) => (b * d[k - 1]) / (a * d[k] + b * d[k - 1]) },
    foundBy: ["PaperFormula"],
  },
  {
    name: "the gradient of the mean over the batch",
    steps: { gradients: (rows) => rows.map(({ grad }) => grad.map((g) => g / rows.length)) },
    foundBy: ["Batch"],
  },
  {
    name: "the first label for every row",
    steps: {
      smoothRow: (steps, input, row) =>
        correct.smoothRow(steps, { ...input, labels: input.labels.map(() => input.labels[0]) }, row),
    },
    foundBy: ["Batch"],
  },
  {
    name: "masked classes at -30 in place of -Infinity",
    steps: {
      others: (scores, label) => scores.flatMap((_, i) => (i === label ? [] : [i])),
      factor: (x, ...rest) => correct.factor(Math.max(x, -30), ...rest),
      centre: (x, ...rest) =>
        correct.centre(
          x.map((v) => Math.max(v, -30)),
          ...rest,
        ),
    },
    foundBy: ["MaskedClasses", "FewerThanK"],
  },
  {
    name: "a gradient with the sign turned",
    steps: { smoothRow: change(({ loss, grad }) => ({ loss, grad: grad.map((g) => -g) })) },
    foundBy: ["PaperFormula"],
  },
  {
    name: "the hard loss without 1/k",
    steps: {
      hardRow: (steps, input, row) => {
        const { scores, labels, k, alpha } = input;
        const others = steps.others(scores[row], labels[row]).map((i) => scores[row][i]);
        const { grad } = correct.hardRow(steps, input, row);
        const margin = alpha + sorted(others)[k - 1] - scores[row][labels[row]];
        return { loss: others.length < k ? 0 : Math.max(0, margin), grad };
      },
    },
    foundBy: ["PaperFormula"],
  },
  {
    name: "the hard gradient to the first of the tied classes",
    steps: {
      hardRow: (steps, input, row) => {
        const { loss, grad } = correct.hardRow(steps, input, row);
        const first = grad.findIndex((g) => g > 0);
        return { loss, grad: grad.map((g, i) => (g > 0 ? (i === first ? 1 / input.k : 0) : g)) };
      },
    },
    foundBy: ["Ties"],
  },
  {
    name: "1 - pi by subtraction",
    steps: {
      variance: ({ a, b }, { c: d }, k) => {
        const pi = (b * d[k - 1]) / (a * d[k] + b * d[k - 1]);
        return pi * (1 - pi);
      },
    },
    foundBy: ["DominantClass"],
  },
  {
    name: "a direction that is not shifted",
    steps: { direction: (v) => v },
    foundBy: ["CatastrophicCancellation", "NullDirection"],
  },
  {
    name: "the diagonal of the Hessian for the Hessian",
    steps: {
      hvp: (steps, x, k, v) => {
        const unit = (at: number): number[] => v.map((_, i) => (i === at ? 1 : 0));
        return correct.hvp(steps, x, k, v).map((_, i) => correct.hvp(steps, x, k, unit(i))[i] * v[i]);
      },
    },
    foundBy: ["PaperFormula", "NullDirection"],
  },
  {
    name: "log sigma as a difference of logarithms",
    steps: {
      ...unshifted,
      logSigma: (steps, x, k) => {
        const present = x.filter((v) => v > -Infinity);
        const shift = Math.max(...present);
        const { c, scale } = product(
          present.map((v) => ({ a: 1, b: Math.exp(v - shift) })),
          k,
          identity,
          steps.limit,
        );
        return c.map((value, j) => Math.log(value) + scale * Math.LN2 + j * shift);
      },
    },
    foundBy: ["LargeScores", "CatastrophicCancellation"],
  },
  {
    name: "NaN for a row with fewer than k entries",
    steps: {
      smoothRow: (steps, input, row) => {
        const { scores, labels, k } = input;
        const right = correct.smoothRow(steps, input, row);
        return steps.others(scores[row], labels[row]).length < k ? { loss: NaN, grad: right.grad } : right;
      },
      inclusion: (steps, x, k) => {
        const right = correct.inclusion(steps, x, k);
        return right.length === 0 ? x.map(() => NaN) : right;
      },
    },
    foundBy: ["FewerThanK"],
  },
  {
    name: "nothing refused",
    steps: { check: () => {} },
    foundBy: ["InvalidLabel", "InvalidOrder", "InvalidParameter", "InvalidScores"],
  },
  {
    name: "masked labels not refused",
    steps: {
      check: (input) => {
        if ("scores" in input) {
          const scores = input.scores.map((row) => row.map((s) => (s === -Infinity ? 0 : s)));
          correct.check({ ...input, scores });
        } else correct.check(input);
      },
    },
    foundBy: ["InvalidLabel"],
  },
  {
    name: "heavy entries among the light ones",
    steps: bySplit({ theta: 16 }),
    foundBy: ["LightAndHeavy"],
  },
  {
    name: "a power sum too few",
    steps: bySplit({ sums: (enough) => enough - 1 }),
    foundBy: ["LightAndHeavy"],
  },
  {
    name: "a sign in Newton's identities",
    steps: bySplit({ sign: 1 }),
    foundBy: ["LightAndHeavy"],
  },
  {
    name: "a light entry among the heavy ones too",
    steps: bySplit({ twice: 1 }),
    foundBy: ["LightAndHeavy"],
  },
];
