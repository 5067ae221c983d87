/**
 * Random numbers for test cases. Only additions and multiplications: the same numbers on every machine and in every
 * version of JavaScript, so that vectors can be made again.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Dtype, roundTo } from "../dtypes.ts";

export class SeededDraw {
  /** Numbers drawn by {@link normal} and what passes {@link hold} are numbers of this precision. */
  readonly dtype: Dtype;
  readonly #uniform: () => number;

  /** @param name  of the case: each has its own numbers, whatever other cases there are. */
  constructor(name: string, dtype: Dtype) {
    const generator = xoroshiro128plus(hash(name));
    this.dtype = dtype;
    this.#uniform = () => uniformFloat64(generator);
  }

  hold(x: number): number {
    return roundTo(this.dtype, x);
  }

  uniform(low: number, high: number): number {
    return this.hold(low + (high - low) * this.#uniform());
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#uniform() * (high - low + 1));
  }

  /** A nearly normal number of the given scale: twelve uniform ones (Irwin and Hall). */
  normal(scale = 1): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.#uniform();
    return this.hold(scale * sum);
  }

  normals(n: number, scale = 1): number[] {
    return Array.from({ length: n }, () => this.normal(scale));
  }

  /** The same numbers in another order (Fisher and Yates). */
  shuffled(values: readonly number[]): number[] {
    const shuffled = [...values];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    return shuffled;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value | 0;
}
