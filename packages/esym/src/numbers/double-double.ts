/**
 * Double-double arithmetic: an unevaluated sum hi + lo of two doubles, about 106 bits.
 *
 * Error-free transformations of Knuth and Dekker; JavaScript has no fused multiply-add, so products are split by
 * Veltkamp's constant. Used where a row needs a handful of exact steps, never in a loop over classes.
 * T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971).
 */
export type DoubleDouble = readonly [hi: number, lo: number];

/** 2^27 + 1: splits a double into two halves of 26 bits whose products are exact. */
export const VELTKAMP = 134217729;

/** ln 2 to 161 bits, as three doubles. */
export const LN2_HI: number = Math.LN2;
export const LN2_LO = 2.3190468138462996e-17;
export const LN2_TAIL = 5.7077084384162121e-34;

/** a + b exactly. */
export function twoSum(a: number, b: number): DoubleDouble {
  const s = a + b;
  const bb = s - a;
  return [s, a - (s - bb) + (b - bb)];
}

/** a + b exactly, if |a| >= |b| or a = 0. */
export function fastTwoSum(a: number, b: number): DoubleDouble {
  const s = a + b;
  return [s, b - (s - a)];
}

/** a b exactly, if no intermediate overflows (|a|, |b| < 2^996) or underflows. */
export function twoProduct(a: number, b: number): DoubleDouble {
  const p = a * b;
  const ta = VELTKAMP * a;
  const ah = ta - (ta - a);
  const al = a - ah;
  const tb = VELTKAMP * b;
  const bh = tb - (tb - b);
  const bl = b - bh;
  return [p, al * bl - (p - ah * bh - al * bh - ah * bl)];
}

/** a + b, relative error 3 u^2. Joldes, Muller, Popescu (2017), algorithm 6. */
export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const [sh, sl] = twoSum(a[0], b[0]);
  const [th, tl] = twoSum(a[1], b[1]);
  const [vh, vl] = fastTwoSum(sh, sl + th);
  return fastTwoSum(vh, tl + vl);
}

/** a b, relative error below 8 u^2. */
export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const [ph, pl] = twoProduct(a[0], b[0]);
  return fastTwoSum(ph, pl + (a[0] * b[1] + a[1] * b[0]));
}

/** a / b, relative error below 16 u^2; 2 u beyond 2^960, where the product that checks a quotient might overflow. */
export function divide(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const q = a[0] / b[0];
  if (!(Math.abs(q) < 2 ** 960) || q === 0) return [q, 0];
  const [ph, pl] = multiply([q, 0], b);
  const [dh, dl] = twoSum(a[0], -ph);
  return fastTwoSum(q, (dh + (dl - pl + a[1])) / b[0]);
}

export function negate(a: DoubleDouble): DoubleDouble {
  return [-a[0], -a[1]];
}
