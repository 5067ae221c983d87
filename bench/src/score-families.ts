/**
 * Rows of scores that make trouble, each family in its own way. Seeded: the same everywhere.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

export function seeded(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

/** A standard normal number, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

type Family = (n: number, random: Random) => Float64Array;

function normals(scale: number): Family {
  return (n, random) => Float64Array.from({ length: n }, () => scale * normal(random));
}

/** Scores of n classes by family. */
export const families: Readonly<Record<string, Family>> = {
  "normal, scale 1": normals(1),
  "normal, scale 100": normals(100),
  "normal, scale 1e6": normals(1e6),
  ties: (n, random) => Float64Array.from({ length: n }, () => Math.round(2 * normal(random)) / 2),
  "all equal": (n) => new Float64Array(n).fill(0.1),
  "one dominates": (n, random) => Float64Array.from({ length: n }, (_, i) => normal(random) + (i === 1 ? 40 : 0)),
  "a tenth masked": (n, random) =>
    Float64Array.from({ length: n }, () => (random() < 0.1 ? -Infinity : normal(random))),
};
