/**
 * Rows that make trouble for the smooth top-k loss, a family for each kind.
 */
import type { Family, Random } from "./area.ts";
import type { LossCase } from "./loss-judge.ts";

interface Shape {
  readonly n: number;
  readonly k: number;
}

/** Small rows mostly, some of a few hundred classes. */
function shape(random: Random, most = 40): Shape {
  const n = random.uniform() < 0.05 ? random.integer(2, 8 * most) : random.integer(2, most);
  return { n, k: random.uniform() < 0.5 ? random.integer(1, Math.min(5, n - 1)) : random.integer(1, n - 1) };
}

const taus = [1e-3, 0.01, 0.1, 0.5, 1, 1, 1, 2, 10, 1000];
const alphas = [0, 0, 0.3, 1, 1, 1, 5];

function caseOf(random: Random, { k }: Shape, scores: number[], given: Partial<LossCase> = {}): LossCase {
  const label = random.integer(0, scores.length - 1);
  if (scores[label] === -Infinity) scores[label] = 0;
  return { scores, label, k, tau: random.pick(taus), alpha: random.pick(alphas), ...given };
}

const normals = (random: Random, n: number, scale: number): number[] =>
  Array.from({ length: n }, () => scale * random.normal());

/** A number moved by a few units in the last place. */
function jitter(random: Random, x: number, ulps: number): number {
  return x + random.integer(-ulps, ulps) * Math.abs(x) * 2 ** -52;
}

/** Few distinct values: equal factors round alike at every step. */
function levels(random: Random, ulps: number): LossCase {
  const n = random.integer(3, random.uniform() < 0.02 ? 1000 : 60);
  const values = Array.from({ length: random.integer(1, 5) }, () => random.uniform(-1, 1) * random.pick([1, 10, 100]));
  const scores = Array.from({ length: n }, () => jitter(random, random.pick(values), ulps));
  return caseOf(random, { n, k: random.integer(1, n - 1) }, scores);
}

/** As many entries on top as places, or one more or less. */
function twoLevels(random: Random): LossCase {
  const { n, k } = shape(random);
  const top = Math.min(n, Math.max(1, k + random.integer(-1, 2)));
  const height = random.uniform(0, 2) * random.pick([1, 10, 1000]);
  const scores = Array.from({ length: n }, (_, i) => (i < top ? height : 0));
  return caseOf(random, { n, k }, scores, { tau: random.pick([0.1, 1, 1, 10]) });
}

function clusters(random: Random): LossCase {
  const { n, k } = shape(random);
  const centres = normals(random, random.integer(2, 4), random.pick([1, 30, 300]));
  const width = random.pick([1e-12, 1e-6, 1e-2, 1]);
  return caseOf(
    random,
    { n, k },
    Array.from({ length: n }, () => random.pick(centres) + width * random.normal()),
  );
}

/** Exponents that fall evenly through many magnitudes. */
function decay(random: Random): LossCase {
  const { n, k } = shape(random);
  const rate = random.uniform(0.001, 20);
  return caseOf(
    random,
    { n, k },
    Array.from({ length: n }, (_, i) => -rate * i + 0.1 * random.normal()),
  );
}

/** The label's score is put where z is near `target`. */
function labelAt(random: Random, target: number): LossCase {
  const { n, k } = shape(random);
  const scores = normals(random, n, random.pick([0.1, 1, 10]));
  const drawn = caseOf(random, { n, k }, scores);
  const others = scores.toSpliced(drawn.label, 1).toSorted((a, b) => b - a);
  scores[drawn.label] = others[k - 1] + k * drawn.alpha - target * k * drawn.tau + random.normal();
  return drawn;
}

export const lossFamilies: readonly Family<LossCase>[] = [
  {
    name: "normal",
    draw: (random) => {
      const size = shape(random);
      return caseOf(random, size, normals(random, size.n, random.pick([0.1, 1, 10, 100])));
    },
  },
  {
    name: "large scores",
    draw: (random) => {
      const size = shape(random);
      return caseOf(random, size, normals(random, size.n, random.pick([1e4, 1e6, 1e9, 1e15])));
    },
  },
  {
    name: "large offset",
    draw: (random) => {
      const size = shape(random);
      const offset = random.pick([1e3, 1e6, 1e9]);
      return caseOf(
        random,
        size,
        normals(random, size.n, 1).map((s) => s + offset),
      );
    },
  },
  {
    name: "ties",
    draw: (random) => {
      const size = shape(random);
      return caseOf(
        random,
        size,
        Array.from({ length: size.n }, () => random.integer(-3, 3) / 2),
      );
    },
  },
  { name: "levels", draw: (random) => levels(random, 0) },
  { name: "levels, 1 ulp", draw: (random) => levels(random, 1) },
  { name: "levels, 10 ulp", draw: (random) => levels(random, 10) },
  { name: "two levels", draw: twoLevels },
  { name: "clusters", draw: clusters },
  { name: "decay", draw: decay },
  { name: "z near 0", draw: (random) => labelAt(random, 0) },
  { name: "z far below 0", draw: (random) => labelAt(random, -random.uniform(5, 600)) },
  { name: "z far above 0", draw: (random) => labelAt(random, random.uniform(5, 600)) },
  {
    name: "masked",
    draw: (random) => {
      const size = shape(random);
      const part = random.uniform();
      return caseOf(
        random,
        size,
        normals(random, size.n, 2).map((s) => (random.uniform() < part ? -Infinity : s)),
      );
    },
  },
  {
    name: "k = 1",
    draw: (random) => {
      const { n } = shape(random, 200);
      return caseOf(random, { n, k: 1 }, normals(random, n, random.pick([1, 10, 100])));
    },
  },
  {
    name: "k near n",
    draw: (random) => {
      const n = random.integer(2, 60);
      return caseOf(random, { n, k: n - random.integer(1, Math.min(3, n - 1)) }, normals(random, n, 3));
    },
  },
  {
    name: "one dominates",
    draw: (random) => {
      const size = shape(random);
      const scores = normals(random, size.n, 1);
      scores[random.integer(0, size.n - 1)] += random.pick([10, 100, 1e4]);
      return caseOf(random, size, scores);
    },
  },
  {
    name: "many classes",
    draw: (random) => {
      const n = random.integer(200, 2000);
      return caseOf(random, { n, k: random.pick([1, 2, 5, 10]) }, normals(random, n, random.pick([0.1, 1, 5])));
    },
  },
];
