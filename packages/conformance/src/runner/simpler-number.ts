/** Numbers that shrink to numbers that are easier to read: fewer bits, an integer, 0. */
import * as fc from "fast-check";

/** Leading bits that candidates keep. */
const BITS = [1, 2, 4, 8, 16, 32];

/** How many bits a number's significand takes: fewer is simpler. */
export function significantBits(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(x)));
  let significand = Math.abs(x) / 2 ** exponent;
  let bits = 1;
  for (; !Number.isInteger(significand) && bits < 53; bits++) significand *= 2;
  return bits;
}

/** x rounded to so many bits. */
function keepBits(x: number, bits: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - bits + 1);
  return Math.round(x / unit) * unit;
}

/** Simpler numbers near x or at 0, the simplest first. */
export function simplerThan(x: number): number[] {
  // Halves end at 1: smaller numbers are no easier to read.
  const halves = Math.abs(x) >= 2 ? [x / 2] : [];
  const candidates = [0, Math.sign(x), Math.trunc(x), ...BITS.map((bits) => keepBits(x, bits)), ...halves];
  const isSimpler = (y: number): boolean =>
    Number.isFinite(y) &&
    (significantBits(y) < significantBits(x) ||
      (significantBits(y) === significantBits(x) && Math.abs(y) < Math.abs(x)));
  return [...new Set(candidates)].filter(isSimpler);
}

/**
 * Draws nothing of its own: it is there to shrink numbers that are given (fast-check's `examples`).
 */
class SimplerNumber extends fc.Arbitrary<number> {
  override generate(): fc.Value<number> {
    return new fc.Value(0, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is number {
    return typeof value === "number";
  }

  override shrink(value: number): fc.Stream<fc.Value<number>> {
    return fc.Stream.of(...simplerThan(value).map((simpler) => new fc.Value(simpler, undefined)));
  }
}

export function simplerNumber(): fc.Arbitrary<number> {
  return new SimplerNumber();
}
