/**
 * What the oracle's values are rounded to: doubles, or decimal fractions of so many digits.
 */
import type { Enclosure, Enclosures } from "./enclosures.ts";
import { NEAREST } from "./mpfr.ts";

/** Bits that the centre of an enclosure is cut to where no narrower one will decide; see correct-rounding.ts. */
const CENTRE_BITS = 300;

/** One kind of result: `Value` for a number, `Vector` for an array of them. */
export interface Rounding<Value, Vector> {
  /** Enclosures of fewer bits are too wide to try. */
  readonly leastBits: number;
  /** A double that is the exact result: NaN and the infinities included. */
  exact(value: number): Value;
  /** The value that every number in the enclosure rounds to, or undefined where its ends round differently. */
  round(enclosures: Enclosures, a: Enclosure): Value | undefined;
  /** The rounding of the enclosure's centre, or undefined where it has none. */
  roundCentre(enclosures: Enclosures, a: Enclosure): Value | undefined;
  vector(values: readonly Value[]): Vector;
}

/** The nearest double, ties to even, zeros +0. */
export const toDouble: Rounding<number, Float64Array> = {
  leastBits: 64,
  exact: (value) => value,
  round: (enclosures, a) => enclosures.round(a),
  roundCentre: (enclosures, a) => {
    const value = enclosures.roundCentre(a, CENTRE_BITS);
    return Number.isNaN(value) ? undefined : value;
  },
  vector: (values) => Float64Array.from(values),
};

/**
 * The nearest decimal fraction of `digits` significant digits, ties to even, as JavaScript writes numbers but without
 * trailing zeros: `0.3333...`, `1.25e-300`, `0`, `-Infinity`, `NaN`.
 *
 * Unlike a double it does not underflow, so an exact 0 that no exact arithmetic gives is an enclosure of 0 for ever:
 * at the last precision that is taken for 0. Wrong only for a value that 8000 bits of cancellation leave.
 */
export function toDigits(digits: number): Rounding<string, string[]> {
  const read = ({ mpfr }: Enclosures, pointer: number): string => {
    if (mpfr.mpfr_number_p(pointer) === 0) return mpfr.mpfr_sgn(pointer) > 0 ? "Infinity" : "-Infinity";
    if (mpfr.mpfr_zero_p(pointer) !== 0) return "0";
    const exponent = mpfr.malloc(8);
    const text = mpfr.mpfr_get_str(0, exponent, 10, digits, pointer, NEAREST);
    const point = mpfr.memView.getInt32(exponent, true);
    const end = mpfr.mem.indexOf(0, text);
    const written = new TextDecoder().decode(mpfr.mem.slice(text, end));
    mpfr.mpfr_free_str(text);
    mpfr.free(exponent);
    return withPoint(written, point);
  };
  return {
    leastBits: Math.ceil(digits * Math.log2(10)) + 32,
    exact: (value) => (Number.isFinite(value) ? shortest(value) : String(value)),
    round: (enclosures, a) => {
      const low = read(enclosures, enclosures.lower[a]);
      return low === read(enclosures, enclosures.upper[a]) ? low : undefined;
    },
    roundCentre: (enclosures, a) => {
      if (enclosures.sign(a) === undefined) return "0";
      return enclosures.withCentre(a, CENTRE_BITS, (pointer) => read(enclosures, pointer));
    },
    vector: (values) => [...values],
  };
}

/** Doubles that the oracle knows without computing are small integers. */
function shortest(value: number): string {
  return String(value + 0);
}

/** 0.DIGITS times 10^point, DIGITS with a sign. */
function withPoint(signed: string, point: number): string {
  const sign = signed.startsWith("-") ? "-" : "";
  const digits = signed.slice(sign.length).replace(/0+$/, "");
  const length = digits.length;
  if (point > 21 || point < -5) {
    const fraction = length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits[0]}${fraction}e${point > 0 ? "+" : ""}${point - 1}`;
  }
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= length) return `${sign}${digits.padEnd(point, "0")}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
