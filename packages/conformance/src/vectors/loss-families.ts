/**
 * Families of cases for the losses, each a kind of trouble. Case number `at` of a family never changes: new cases are
 * appended by raising a count, new kinds get a family of their own.
 */
import { cycle, type Family, type LossCase, withCount } from "./case-family.ts";
import type { SeededDraw } from "./seeded-draw.ts";
import { shapedLosses } from "./shape-families.ts";

type LossFamily = Family<LossCase>;

/** One row whose label is drawn. */
function row(draw: SeededDraw, scores: readonly number[], parameters: Partial<LossCase> & { k: number }): LossCase {
  const present = scores.flatMap((s, i) => (s > -Infinity ? [i] : []));
  return {
    scores: [scores],
    labels: [present[draw.integer(0, present.length - 1)]],
    tau: 1,
    alpha: 1,
    ...parameters,
    ...(parameters.tau === undefined ? {} : { tau: draw.hold(parameters.tau) }),
    ...(parameters.alpha === undefined ? {} : { alpha: draw.hold(parameters.alpha) }),
  };
}

/** `value` at the label in place of what is there. */
function withLabelScore(given: LossCase, value: (others: readonly number[]) => number): LossCase {
  const [scores] = given.scores;
  const [label] = given.labels;
  return { ...given, scores: [scores.with(label, value(scores.toSpliced(label, 1)))] };
}

const descending = (values: readonly number[]): number[] => values.toSorted((a, b) => b - a);

export const lossFamilies: readonly LossFamily[] = [
  {
    name: "paper",
    count: 30,
    flags: ["PaperFormula"],
    comment: "few enough classes to sum over all subsets by hand",
    draw: (draw, at) => {
      const n = 3 + (at % 5);
      const k = 1 + (Math.floor(at / 5) % (n - 1));
      return row(draw, draw.normals(n), {
        k,
        tau: cycle([1, 0.5, 2, 1], at),
        alpha: cycle([1, 1, 0.5, 2, 0], at),
      });
    },
  },
  {
    name: "default",
    count: 12,
    flags: ["Typical"],
    comment: "an ordinary row with the default parameters",
    draw: (draw, at) => row(draw, draw.normals(10 + 3 * at, 2), { k: 5 }),
  },
  {
    name: "cross-entropy",
    count: 18,
    flags: [],
    comment: "k = 1, tau = 1, alpha = 0 is the cross-entropy",
    draw: (draw, at) => row(draw, draw.normals(2 + at, cycle([1, 5, 30], Math.floor(at / 3))), { k: 1, alpha: 0 }),
  },
  {
    name: "ties",
    count: 21,
    flags: [],
    comment: "many scores are equal, at the k-th place too",
    draw: (draw, at) => {
      const n = 5 + (at % 8);
      const scores = Array.from({ length: n }, () => (at % 7 === 0 ? draw.hold(0.1) : draw.integer(-2, 2) / 2));
      return row(draw, scores, { k: 1 + (at % Math.min(5, n - 1)), tau: cycle([1, 0.125, 0.0078125, 4], at) });
    },
  },
  {
    name: "small-tau",
    count: 27,
    flags: [],
    comment: "a temperature near the limit to the hard loss",
    draw: (draw, at) =>
      row(draw, draw.normals(8 + (at % 9), cycle([1, 10, 0.1], Math.floor(at / 3))), {
        k: cycle([5, 1, 3, 2], at),
        tau: cycle([0.1, 0.01, 0.001, 1e-4], Math.floor(at / 2)),
      }),
  },
  {
    name: "large-tau",
    count: 9,
    flags: ["LargeTau"],
    comment: "a temperature at which all subsets weigh alike",
    draw: (draw, at) => row(draw, draw.normals(6 + at, 3), { k: cycle([5, 2, 3], at), tau: cycle([100, 1e4], at) }),
  },
  {
    name: "large-scores",
    count: 18,
    flags: [],
    comment: "scores whose exponentials overflow",
    draw: (draw, at) =>
      row(draw, draw.normals(7 + (at % 6), cycle([300, 1e4, 1e6], at)), {
        k: cycle([5, 1, 2, 4], at),
        tau: cycle([1, 1, 10, 100], Math.floor(at / 3)),
      }),
  },
  {
    name: "shifted",
    count: 12,
    flags: ["ShiftedScores"],
    comment: "small differences on top of a large constant",
    draw: (draw, at) => {
      const shift = cycle([1000, -1000, 2 ** 20, -(2 ** 20)], at);
      const step = draw.dtype === "bfloat16" ? shift * 2 ** -7 : draw.dtype === "float32" ? shift * 2 ** -20 : 2 ** -10;
      const scores = Array.from({ length: 6 + (at % 5) }, () => draw.hold(shift + step * draw.integer(-20, 20)));
      return row(draw, scores, { k: cycle([5, 2, 1, 3], at), tau: cycle([1, 0.25], at) });
    },
  },
  {
    name: "masked",
    count: 21,
    flags: [],
    comment: "some classes are masked",
    draw: (draw, at) => {
      const n = 7 + (at % 8);
      const k = 1 + (at % 5);
      // Every third row keeps exactly k classes besides the label.
      const masked = at % 3 === 0 ? n - k - 1 : draw.integer(1, n - k - 1);
      const scores = draw.normals(n, 2).map((s, i) => (i < masked ? -Infinity : s));
      return row(draw, draw.shuffled(scores), { k, tau: cycle([1, 0.1, 3], at) });
    },
  },
  {
    name: "fewer-than-k",
    count: 6,
    flags: [],
    comment: "masking leaves fewer than k classes besides the label: nothing to lose",
    draw: (draw, at) => {
      const k = 2 + (at % 3);
      const scores = draw.normals(8).map((s, i) => (i < k ? s : -Infinity));
      return row(draw, draw.shuffled(scores), { k, tau: cycle([1, 0.1], at) });
    },
  },
  {
    name: "k-is-n-minus-1",
    count: 15,
    flags: [],
    comment: "all other classes form the only subset without the label",
    draw: (draw, at) => {
      const n = 2 + (at % 12);
      return row(draw, draw.normals(n, cycle([1, 10], at)), { k: n - 1, tau: cycle([1, 0.1, 2], at) });
    },
  },
  {
    name: "dominant",
    count: 15,
    flags: [],
    comment: "one class is far above the others",
    draw: (draw, at) => {
      const scores = draw.normals(6 + (at % 7));
      scores[draw.integer(0, scores.length - 1)] = draw.hold(cycle([40, 100, 700], at));
      return row(draw, scores, { k: cycle([1, 2, 5, 3], at), tau: cycle([1, 0.5], at) });
    },
  },
  {
    name: "right",
    count: 15,
    flags: ["ConfidentLabel"],
    comment: "the label is far above: a loss much smaller than one rounding of 1",
    draw: (draw, at) => {
      const k = cycle([1, 2, 5], at);
      const tau = cycle([1, 0.1], at);
      const gap = cycle([20, 35, 45, 60, 500], at) * k * tau;
      return withLabelScore(row(draw, draw.normals(7 + (at % 5)), { k, tau, alpha: cycle([1, 0], at) }), (others) =>
        draw.hold(descending(others)[k - 1] + gap),
      );
    },
  },
  {
    name: "wrong",
    count: 9,
    flags: ["ConfidentLabel"],
    comment: "the label is far below: the loss is the hard one and a little more",
    draw: (draw, at) => {
      const k = cycle([1, 2, 5], at);
      const tau = cycle([1, 0.1], at);
      return withLabelScore(row(draw, draw.normals(7 + (at % 5)), { k, tau }), (others) =>
        draw.hold(Math.min(...others) - cycle([30, 50, 800], at) * k * tau),
      );
    },
  },
  {
    name: "hard-switch",
    count: 18,
    flags: ["HardSwitch"],
    comment: "a gap at the k-th place at which approximations take over, label and k-th class close",
    draw: (draw, at) => {
      const k = cycle([5, 1, 2], at);
      const tau = draw.hold(cycle([1, 0.1, 0.01], Math.floor(at / 3)));
      const gap = k * tau * cycle([7, 9.3, 14, 20], at);
      const above = Array.from({ length: k }, () => draw.uniform(0, 0.5 * k * tau));
      const below = Array.from({ length: 3 + (at % 4) }, () => draw.hold(-gap - draw.uniform(0, k * tau)));
      const given = row(draw, draw.shuffled([...above, ...below, 0]), { k, tau, alpha: cycle([1, 0], at) });
      return withLabelScore(given, (others) => draw.hold(descending(others)[k - 1] + draw.uniform(-k * tau, k * tau)));
    },
  },
  {
    name: "cancellation",
    count: 15,
    flags: ["CatastrophicCancellation"],
    comment: "classes that are in the subset at order k and at order k - 1: their gradient is a difference of equals",
    draw: (draw, at) => {
      const k = cycle([3, 5, 4], at);
      const tau = cycle([1, 0.1], at);
      const gap = cycle([10, 16, 22, 30, 36], at) * k * tau;
      const heavy = Array.from({ length: cycle([k - 1, k - 2, 1], at) }, () => draw.hold(gap + draw.normal()));
      return row(draw, draw.shuffled([...heavy, ...draw.normals(8)]), { k, tau });
    },
  },
  {
    name: "margin",
    count: 14,
    flags: [],
    comment: "a margin that is not 1",
    draw: (draw, at) =>
      row(draw, draw.normals(6 + (at % 4)), {
        k: cycle([1, 2, 3, 5], at),
        tau: cycle([1, 0.5, 0.1], at),
        alpha: cycle([0, 0.3, -1, 5, 100, 0.001, -20], at),
      }),
  },
  {
    name: "batch",
    count: 12,
    flags: [],
    comment: "several rows of different kinds, each with its own loss",
    draw: (draw, at) => {
      const n = 5 + (at % 5);
      const k = 1 + (at % 4);
      const rows = Array.from({ length: 2 + (at % 4) }, (_, b) => draw.normals(n, cycle([1, 20, 300, 0.01], b)));
      if (at % 3 === 0) rows.push(Array.from({ length: n }, (_, i) => (i <= k ? 1 : -Infinity)));
      const labels = rows.map((scores) => scores.indexOf(descending(scores)[draw.integer(0, k)]));
      return { scores: rows, labels, k, tau: draw.hold(cycle([1, 0.1, 4], at)), alpha: 1 };
    },
  },
  {
    name: "large-k",
    count: 9,
    flags: [],
    comment: "k far from 1 and from n",
    draw: (draw, at) => {
      const n = cycle([40, 60, 100], at);
      return row(draw, draw.normals(n, cycle([1, 1, 20], Math.floor(at / 3))), {
        k: cycle([20, 50, 30], at) % n,
        tau: cycle([1, 0.1], at),
      });
    },
  },
  {
    name: "coefficients",
    count: 3,
    flags: [],
    comment: "more subsets than the largest number of the format, each of moderate weight",
    draw: (draw, at) => row(draw, draw.normals(cycle([200, 1100, 250], at), 0.125), { k: cycle([60, 500, 80], at) }),
  },
  {
    name: "many-classes",
    count: 3,
    flags: ["Typical"],
    comment: "as many classes as ImageNet",
    draw: (draw, at) => row(draw, draw.normals(cycle([1000, 1000, 700], at), 2), { k: 5, tau: cycle([1, 0.1], at) }),
  },
  ...shapedLosses,
];

/** The hard loss has cases of its own: at zero, at the kink, at ties. */
export const hardLossFamilies: readonly LossFamily[] = [
  ...lossFamilies
    .filter(({ name }) =>
      ["paper", "ties", "masked", "fewer-than-k", "k-is-n-minus-1", "large-scores", "margin", "batch", "ends"].includes(
        name,
      ),
    )
    .map((family) => withCount(family, Math.ceil(family.count / 2))),
  {
    name: "zero",
    count: 9,
    flags: [],
    comment: "the label beats the k-th other class by more than the margin",
    draw: (draw, at) => {
      const k = cycle([1, 2, 5], at);
      return withLabelScore(row(draw, draw.normals(8), { k }), (others) =>
        draw.hold(descending(others)[k - 1] + 3 * k),
      );
    },
  },
  {
    name: "kink",
    count: 4,
    flags: ["Kink"],
    comment: "exactly at the margin: any subgradient is right, the one given is 0",
    draw: (draw, at) => {
      const k = 1 + (at % 4);
      const scores = Array.from({ length: 8 }, () => draw.integer(-8, 8) / 4);
      return withLabelScore(row(draw, scores, { k }), (others) => descending(others)[k - 1] + k);
    },
  },
];
