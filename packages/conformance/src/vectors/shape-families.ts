/**
 * Families of rows by their shape: what decides which algorithm a fast implementation takes, and where equal or extreme
 * entries make rounding errors add up. See loss-families.ts.
 */
import { cycle, type EspCase, type Family, type LossCase } from "./case-family.ts";
import type { SeededDraw } from "./seeded-draw.ts";

/** A row in units of the temperature, and its order. */
interface Shape {
  readonly name: string;
  readonly count: number;
  readonly flag: string;
  readonly comment: string;
  readonly draw: (draw: SeededDraw, at: number) => { readonly x: readonly number[]; readonly k: number };
}

/** Half an ulp of 1, relative: the step by which jittered levels differ. */
const STEP = { float64: 2 ** -52, float32: 2 ** -23, bfloat16: 2 ** -7 };

const shapes: readonly Shape[] = [
  {
    name: "levels",
    count: 18,
    flag: "FewLevels",
    comment: "one to five distinct values, exact or jittered by 1 or 10 ulp, about k entries in the upper ones",
    draw: (draw, at) => {
      const n = cycle([23, 40, 120, 23, 60, 300], at);
      const k = cycle([10, 19, 60, 11, 7, 150], at);
      const levels = Array.from({ length: 1 + (at % 5) }, (_, l) => (l === 0 ? 0.5 : 0.5 - l * draw.uniform(0.25, 3)));
      const jitter = cycle([0, 1, 10], Math.floor(at / 2));
      const x = Array.from({ length: n }, (_, i) => {
        const level = i <= k ? levels[i % Math.ceil(levels.length / 2)] : levels[i % levels.length];
        return draw.hold(draw.hold(level) * (1 + draw.integer(-jitter, jitter) * STEP[draw.dtype]));
      });
      return { x: draw.shuffled(x), k };
    },
  },
  {
    name: "light-heavy",
    count: 15,
    flag: "LightAndHeavy",
    comment: "inclusion probabilities on both sides of the thresholds between summed and multiplied entries",
    draw: (draw, at) => {
      const n = cycle([120, 240, 400], at);
      const k = cycle([3, 5, 8, 20, 40], at);
      // log(n / (k 2^m)) for m = 2, 3, 5, 9, rounded: entries of inclusion probability about 2^-m.
      const heavy = Array.from({ length: 3 * k }, (_, i) => 3 - cycle([0, 0.75, 2, 5], i) + draw.normal(0.25));
      return {
        x: draw.shuffled(
          Array.from({ length: n }, (_, i) => draw.hold(i < heavy.length ? heavy[i] : draw.normal(0.5))),
        ),
        k,
      };
    },
  },
  {
    name: "clusters",
    count: 9,
    flag: "Clusters",
    comment: "groups of entries far apart, the k-th place inside one or between two",
    draw: (draw, at) => {
      const k = cycle([4, 5, 12], at);
      const gap = cycle([20, 100, 40], Math.floor(at / 3));
      const sizes = cycle(
        [
          [k, 9],
          [k - 1, 3, 9],
          [2, k, 9],
        ],
        at,
      );
      const x = sizes.flatMap((size, c) => Array.from({ length: size }, () => draw.hold(draw.normal() - c * gap)));
      return { x: draw.shuffled(x), k };
    },
  },
  {
    name: "decay",
    count: 9,
    flag: "GeometricDecay",
    comment: "weights that fall by a constant factor from entry to entry",
    draw: (draw, at) => {
      const ratio = cycle([0.125, 0.5, 2, 8], at);
      return {
        x: draw.shuffled(Array.from({ length: 40 }, (_, i) => draw.hold(0 - ratio * i))),
        k: cycle([5, 12, 1, 30], at),
      };
    },
  },
  {
    name: "larger-k",
    count: 9,
    flag: "LargeK",
    comment: "k from 20 to 200, near n / 2 and near n",
    draw: (draw, at) => {
      const n = cycle([400, 60, 41, 120, 300], at);
      const k = cycle([200, 30, 39, 61, 20], at);
      return { x: draw.normals(n, cycle([1, 0.25, 4], at)), k };
    },
  },
  {
    name: "half-precision",
    count: 6,
    flag: "Typical",
    comment: "scores as a half-precision model gives them: few bits, many ties",
    draw: (draw, at) => ({
      x: Array.from({ length: 50 + 10 * at }, () => Math.round(8 * draw.normal(3)) / 8 + 0),
      k: cycle([5, 1, 10], at),
    }),
  },
];

/** Scores T x, with the temperature a power of two so that they stay exact. */
export const shapedLosses: readonly Family<LossCase>[] = [
  ...shapes.map(({ name, count, flag, comment, draw: drawShape }): Family<LossCase> => ({
    name,
    count,
    flags: [flag],
    comment,
    draw: (draw, at) => {
      const { x, k } = drawShape(draw, at);
      const tau = draw.hold(cycle([1, 0.125, 4], at));
      const scores = x.map((v) => draw.hold(v * tau * k) + 0);
      return { scores: [scores], labels: [draw.integer(0, x.length - 1)], k, tau, alpha: cycle([1, 0], at) };
    },
  })),
  {
    name: "scales",
    count: 6,
    flags: ["MixedScales"],
    comment: "rows of very different scale in one batch",
    draw: (draw, at) => {
      const n = 6 + at;
      const scales = [2 ** -10, 1, 2 ** 10, 2 ** 20];
      return {
        scores: scales.map((scale) => draw.normals(n, scale)),
        labels: scales.map(() => draw.integer(0, n - 1)),
        k: cycle([1, 3, 5], at),
        tau: cycle([1, 0.125], at),
        alpha: 1,
      };
    },
  },
  {
    name: "ends",
    count: 12,
    flags: ["EndsOfRange"],
    comment: "finite scores whose differences, or differences over k tau, overflow",
    dtypes: ["float64", "float32"],
    draw: (draw, at) => {
      const most = draw.dtype === "float64" ? 2 ** 1023 : 2 ** 127;
      const row = cycle(
        [
          [most, 0, 1, 2],
          [most, most, -most, 0],
          [-most, -most, -most, -most / 2],
          [most, -most, most / 4, -most / 8],
          [most / 2, most / 2, most / 2, 0],
          [-most, 0.5, 1, 2],
        ],
        at,
      );
      const tau = cycle([1, 2 ** -20, most / 4, 2 ** 20], at);
      return { scores: [row], labels: [cycle([1, 2, 3, 0], at)], k: 1 + (at % 3), tau, alpha: cycle([0, 1], at) };
    },
  },
];

const directions = (draw: SeededDraw, x: readonly (readonly number[])[], k: number): EspCase => ({
  x,
  k,
  v: x.map((row) => draw.normals(row.length)),
});

export const shapedEsp: readonly Family<EspCase>[] = [
  ...shapes.map(({ name, count, flag, comment, draw: drawShape }): Family<EspCase> => ({
    name,
    count: Math.ceil(count / 2),
    flags: [flag],
    comment,
    draw: (draw, at) => {
      const { x, k } = drawShape(draw, at);
      return directions(draw, [x], k);
    },
  })),
  {
    name: "near-zero-larger-k",
    count: 6,
    flags: ["CatastrophicCancellation"],
    comment: "sigma_k close to 1 at larger k, about many equal entries",
    draw: (draw, at) => {
      // -log C(n, k) / k, rounded to few bits.
      const [n, k, level] = cycle<readonly [number, number, number]>(
        [
          [40, 20, -1.275390625],
          [80, 30, -1.69140625],
          [120, 60, -1.333984375],
        ],
        at,
      );
      const x = Array.from({ length: n }, () => draw.hold(level + (at < 3 ? 0 : draw.normal(0.0625))));
      return directions(draw, [x], k);
    },
  },
  {
    name: "scales",
    count: 3,
    flags: ["MixedScales"],
    comment: "rows of very different scale in one batch",
    draw: (draw, at) =>
      directions(
        draw,
        [2 ** -10, 1, 2 ** 10, 2 ** 20].map((scale) => draw.normals(7, scale)),
        1 + at,
      ),
  },
];
