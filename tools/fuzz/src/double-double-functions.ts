/**
 * Exponential and logarithm in double-double, for judging what computes in doubles: relative error below 2^-95, derived
 * from nothing that the judged code uses but the error-free sum and product.
 */
import { add, divide, type DoubleDouble, multiply, twoProduct } from "@smooth-topk/esym/kernel";

/** ln 2 to 161 bits. */
const LN2 = [Math.LN2, 2.3190468138462996e-17, 5.7077084384162121e-34] as const;
const ONE: DoubleDouble = [1, 0];
/** Halvings of the reduced argument, |r| <= ln 2 / 2: 2^-10 at most is left for the series. */
const HALVINGS = 9;
/** (2^-10.5)^9 / 10! is below 2^-116. */
const TERMS = 9;

const reciprocals: DoubleDouble[] = [];
for (let m = 1, factorial = 1; m <= TERMS + 1; m++, factorial *= m) reciprocals[m] = divide(ONE, [factorial, 0]);

/** e^r - 1 for |r| below 1/2: the series at r / 2^9, then (1 + m)^2 - 1 = 2 m + m^2 nine times. */
function expm1Reduced(r: DoubleDouble): DoubleDouble {
  const scale = 2 ** -HALVINGS;
  const s: DoubleDouble = [r[0] * scale, r[1] * scale];
  let m = reciprocals[TERMS + 1];
  for (let j = TERMS; j >= 1; j--) m = add(reciprocals[j], multiply(s, m));
  m = multiply(s, m);
  for (let h = 0; h < HALVINGS; h++) m = add([2 * m[0], 2 * m[1]], multiply(m, m));
  return m;
}

/** e^t; 0 below -745. */
export function exp(t: DoubleDouble): DoubleDouble {
  if (t[0] < -745) return [0, 0];
  const steps = Math.round(t[0] / LN2[0]);
  let r = t;
  for (const part of LN2) r = add(r, twoProduct(-steps, part));
  const [hi, lo] = add(ONE, expm1Reduced(r));
  // In two steps: 2^-1074 is a number, its inverse is none.
  const half = 2 ** Math.trunc(steps / 2);
  const rest = 2 ** (steps - Math.trunc(steps / 2));
  return [hi * half * rest, lo * half * rest];
}

/** log x, x > 0: one correction of the logarithm in doubles. */
export function log(x: DoubleDouble): DoubleDouble {
  const first = Math.log(x[0]);
  // x e^-first = 1 + d with |d| below 2^-50: log(1 + d) = d - d^2 / 2 + ...
  const d = add(multiply(x, exp([-first, 0])), [-1, 0]);
  const square = multiply(d, d);
  return add([first, 0], add(d, [-square[0] / 2, -square[1] / 2]));
}

/** log(1 + w), w >= 0, right relative to itself for small w too. */
export function log1p(w: DoubleDouble): DoubleDouble {
  if (w[0] > 0.25) return log(add(ONE, w));
  const first = Math.log1p(w[0]);
  const m = expm1Reduced([first, 0]);
  // 1 + w = e^first (1 + d)
  const d = divide(add(w, [-m[0], -m[1]]), add(ONE, m));
  return add([first, 0], d);
}
