/**
 * The factors of prod (1 + e_i X), e_i = exp(x_i / T), scaled so that neither e_i nor the product leaves the range of
 * exponents: with c the j-th largest x, the factor of an entry above c is written (r_i + X), r_i = exp((c - x_i)/T),
 * and every other (1 + e_i X) with e_i = exp((x_i - c)/T). All numbers are at most 1, and the coefficients of orders
 * j - 1 and j are at least 1, so a ratio that underflows to [0, tiny] widens their enclosures by next to nothing.
 *
 * With P the product of the scaled factors, H the entries above c and h their number,
 *   log sigma_j = log P_j + (sum over H of x_i + (j - h) c) / T.
 */
import type { Enclosure, Enclosures } from "./enclosures.ts";
import type { Row } from "./row.ts";

/** Factors of a polynomial, each with two nonnegative coefficients. */
export interface Factors {
  readonly count: number;
  /** Factor i is coefficient [first + 2 i] + coefficient [first + 2 i + 1] X. */
  readonly first: Enclosure;
  /** The coefficient of factor i that is not 1: 0 where the entry is above the centre, else 1. */
  readonly position: Uint8Array;
}

/** The enclosure of factor i's coefficient that is not 1. */
export function ratio(factors: Factors, i: number): Enclosure {
  return factors.first + 2 * i + factors.position[i];
}

/**
 * The scaled factors of a row around its j-th largest entry, 1 <= j <= number of entries.
 *
 * @param temperature  the enclosure of T > 0, or null for T = 1.
 */
export function centredFactors(enclosures: Enclosures, row: Row, j: number, temperature: Enclosure | null): Factors {
  const { x, sorted } = row;
  const count = x.length;
  const centre = sorted[j - 1];
  const first = enclosures.allocate(2 * count);
  const mark = enclosures.mark();
  const c = enclosures.allocate(1);
  enclosures.setDouble(c, centre);
  const position = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    position[i] = x[i] > centre ? 0 : 1;
    const e = first + 2 * i + position[i];
    enclosures.setDouble(first + 2 * i + 1 - position[i], 1);
    enclosures.setDouble(e, x[i]);
    if (position[i] === 0) enclosures.subtract(e, c, e);
    else enclosures.subtract(e, e, c);
    if (temperature !== null) enclosures.divide(e, e, temperature);
    enclosures.exponential(e, e);
  }
  enclosures.release(mark);
  return { count, first, position };
}
