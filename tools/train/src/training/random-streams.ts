/**
 * Independent streams of random numbers, named by what they are for: splits, noise, weights and order do not disturb
 * each other, and every run with a seed sees the same ones.
 */
import { createHash } from "node:crypto";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Stream {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Uniform among 0, ..., below - 1. */
  readonly integer: (below: number) => number;
  readonly normal: () => number;
  /** Fisher and Yates, in place. */
  readonly shuffle: (items: Int32Array) => Int32Array;
}

/** The stream of a seed and a purpose. */
export function stream(seed: number, purpose: string): Stream {
  const generator = xoroshiro128plus(createHash("sha256").update(`${seed} ${purpose}`).digest().readInt32LE());
  const uniform = (): number => uniformFloat64(generator);
  const integer = (below: number): number => uniformInt(generator, 0, below - 1);
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [items[i], items[j]] = [items[j], items[i]];
      }
      return items;
    },
  };
}
