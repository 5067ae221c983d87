/** Families of cases for log sigma, inclusion probabilities and Hessian-vector products. See loss-families.ts. */
import { cycle, type EspCase, type Family, withCount } from "./case-family.ts";
import type { SeededDraw } from "./seeded-draw.ts";
import { shapedEsp } from "./shape-families.ts";

type EspFamily = Family<EspCase>;

/** Rows with a direction each, of mixed signs. */
function rows(draw: SeededDraw, x: readonly (readonly number[])[], k: number): EspCase {
  return { x, k, v: x.map((row) => draw.normals(row.length)) };
}

export const espFamilies: readonly EspFamily[] = [
  {
    name: "paper",
    count: 24,
    flags: ["PaperFormula"],
    comment: "few enough entries to sum over all subsets by hand",
    draw: (draw, at) => {
      const n = 2 + (at % 6);
      return rows(draw, [draw.normals(n)], 1 + (Math.floor(at / 6) % n));
    },
  },
  {
    name: "default",
    count: 9,
    flags: ["Typical"],
    comment: "an ordinary row",
    draw: (draw, at) => rows(draw, [draw.normals(10 + 4 * at, 2)], 5),
  },
  {
    name: "ties",
    count: 12,
    flags: [],
    comment: "many entries are equal",
    draw: (draw, at) => {
      const x = Array.from({ length: 5 + (at % 7) }, () => (at % 4 === 0 ? draw.hold(0.1) : draw.integer(-2, 2)));
      return rows(draw, [x], 1 + (at % 5));
    },
  },
  {
    name: "large",
    count: 15,
    flags: [],
    comment: "entries whose exponentials overflow or underflow",
    draw: (draw, at) => rows(draw, [draw.normals(5 + (at % 8), cycle([100, 800, 1e4, 1e6], at))], 1 + (at % 5)),
  },
  {
    name: "shifted",
    count: 9,
    flags: ["ShiftedScores"],
    comment: "small differences on top of a large constant",
    draw: (draw, at) => {
      const shift = cycle([1000, -1000, 2 ** 16], at);
      const step = draw.dtype === "bfloat16" ? Math.abs(shift) * 2 ** -6 : 2 ** -6;
      const x = Array.from({ length: 6 + (at % 5) }, () => draw.hold(shift + step * draw.integer(-40, 40)));
      return rows(draw, [x], 1 + (at % 5));
    },
  },
  {
    name: "removed",
    count: 15,
    flags: [],
    comment: "some entries are removed",
    draw: (draw, at) => {
      const n = 6 + (at % 7);
      const k = 1 + (at % 4);
      const removed = at % 3 === 0 ? n - k : draw.integer(1, n - k);
      return rows(draw, [draw.shuffled(draw.normals(n, 2).map((v, i) => (i < removed ? -Infinity : v)))], k);
    },
  },
  {
    name: "fewer-than-k",
    count: 6,
    flags: [],
    comment: "fewer than k entries are left: sigma_k = 0",
    draw: (draw, at) => {
      const k = 2 + (at % 4);
      return rows(draw, [draw.shuffled(draw.normals(8).map((v, i) => (i < k - 1 - (at % 2) ? v : -Infinity)))], k);
    },
  },
  {
    name: "k-is-n",
    count: 9,
    flags: [],
    comment: "one subset, of all entries",
    draw: (draw, at) => {
      const n = 1 + at;
      return rows(draw, [draw.normals(n, cycle([1, 30], at))], n);
    },
  },
  {
    name: "k-is-0",
    count: 2,
    flags: [],
    comment: "one subset, the empty one",
    draw: (draw, at) => rows(draw, [draw.normals(3 + at)], 0),
  },
  {
    name: "dominant",
    count: 15,
    flags: [],
    comment: "some entries are nearly always in the subset, others nearly never",
    draw: (draw, at) => {
      const k = cycle([1, 2, 5, 3], at);
      const heavy = cycle([1, k, Math.max(1, k - 1)], at);
      const gap = cycle([15, 40, 100, 300], at);
      const x = draw.normals(7 + (at % 6)).map((v, i) => (i < heavy ? draw.hold(v + gap) : v));
      return rows(draw, [draw.shuffled(x)], k);
    },
  },
  {
    name: "near-zero",
    count: 18,
    flags: ["CatastrophicCancellation"],
    comment: "sigma_k close to 1: its logarithm is a small difference of large terms",
    draw: (draw, at) => {
      const n = at < 12 ? 6 + (at % 9) : 24 + 2 * at;
      const k = at < 12 ? 1 + (at % 4) : at - 2;
      // log C(n, k) / k, so that the weights of all subsets sum to about 1.
      let subsets = 1;
      for (let j = 1; j <= k; j++) subsets *= (n - k + j) / j;
      const level = -Math.log(subsets) / k;
      // The logarithm is rounded to few bits: it may differ between machines in the last one.
      return rows(draw, [draw.normals(n, 0.25).map((v) => draw.hold(v + Math.round(level * 1024) / 1024))], k);
    },
  },
  {
    name: "batch",
    count: 9,
    flags: [],
    comment: "several rows of different kinds",
    draw: (draw, at) => {
      const n = 4 + (at % 5);
      const k = 1 + (at % 4);
      const x = Array.from({ length: 2 + (at % 4) }, (_, b) => draw.normals(n, cycle([1, 20, 300, 0.01], b)));
      if (at % 3 === 0) x.push(Array.from({ length: n }, (_, i) => (i < k - 1 ? 0 : -Infinity)));
      return rows(draw, x, k);
    },
  },
  {
    name: "large-k",
    count: 8,
    flags: [],
    comment: "k far from 1 and from n",
    draw: (draw, at) =>
      rows(draw, [draw.normals(cycle([40, 60, 90], at), cycle([1, 10], at))], cycle([20, 50, 30], at)),
  },
  {
    name: "coefficients",
    count: 2,
    flags: [],
    comment: "more subsets than the largest number of the format, each of moderate weight",
    draw: (draw, at) => rows(draw, [draw.normals(cycle([180, 240], at), 0.125)], cycle([60, 90], at)),
  },
  ...shapedEsp,
];

function direct(
  name: string,
  count: number,
  flag: string[],
  comment: string,
  v: (d: SeededDraw, n: number, at: number) => number[],
): EspFamily {
  return {
    name,
    count,
    flags: flag,
    comment,
    draw: (draw, at) => {
      const n = 4 + (at % 7);
      return { x: [draw.normals(n)], k: 1 + (at % 4), v: [v(draw, n, at)] };
    },
  };
}

/** Hessian-vector products have directions of their own kinds. Their rows are the shorter ones. */
export const hvpFamilies: readonly EspFamily[] = [
  ...espFamilies
    .filter(({ name }) => !["k-is-0", "near-zero", "coefficients", "light-heavy", "larger-k"].includes(name))
    .map((family) => withCount(family, Math.ceil((2 * family.count) / 3))),
  direct("constant-direction", 6, ["NullDirection"], "H times a constant vector is exactly 0", (draw, n) =>
    new Array<number>(n).fill(draw.normal(3)),
  ),
  direct("one-entry", 8, [], "a column of the Hessian", (draw, n) => {
    const at = draw.integer(0, n - 1);
    return Array.from({ length: n }, (_, i) => (i === at ? 1 : 0));
  }),
  direct(
    "shifted-direction",
    8,
    ["CatastrophicCancellation"],
    "a large constant plus a small direction",
    (draw, n, at) => {
      const shift = cycle([1, -1], at) * { float64: 2 ** 40, float32: 2 ** 16, bfloat16: 2 ** 10 }[draw.dtype];
      const step = { float64: 2 ** -8, float32: 2 ** -3, bfloat16: 2 ** 3 }[draw.dtype];
      return Array.from({ length: n }, () => shift + step * draw.integer(-8, 8));
    },
  ),
];
