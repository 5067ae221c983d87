/**
 * exp(x) for x of any size, as (mantissa + rest) 2^exponent with a mantissa near 1 and a relative error below 2^-66: as
 * `extendedExp` of packages/esym, with the same table of 2^(j / 128) in two doubles.
 */
import { get, set } from "./cells";
import { productRest } from "./newton-identities";
import { tableAt } from "./room";

const STEPS: i32 = 128;
/** ln 2 in three doubles. */
const LN2_HI: f64 = 0.6931471805599453;
const LN2_LO: f64 = 2.3190468138462996e-17;
const LN2_TAIL: f64 = 5.7077084384162121e-34;

export let mantissa: f64 = 0;
export let rest: f64 = 0;
export let exponent: f64 = 0;

// The sum of two doubles and what it lost.
let sum: f64 = 0;
let lost: f64 = 0;

// @ts-ignore: decorator
@inline
function twoSum(a: f64, b: f64): void {
  const s = a + b;
  const bb = s - a;
  sum = s;
  lost = a - (s - bb) + (b - bb);
}

/** Fills the table in the thread's room: 2^(1/128) by seven square roots in two doubles, then its powers. */
export function fillTable(): void {
  let hi: f64 = 2;
  let lo: f64 = 0;
  for (let halvings = 0; halvings < 7; halvings++) {
    const r = sqrt(hi);
    const p = r * r;
    lo = (hi - p - productRest(r, r, p) + lo) / (2 * r);
    hi = r;
  }
  let h: f64 = 1;
  let l: f64 = 0;
  for (let j = 0; j < STEPS; j++) {
    set(tableAt, j, h);
    set(tableAt, STEPS + j, l);
    const p = h * hi;
    const tail = productRest(h, hi, p) + (h * lo + l * hi);
    h = p + tail;
    l = tail - (h - p);
  }
}

/** Sets mantissa, rest and exponent. Beyond 2^52, where neighbouring doubles are a factor e apart, only the exponent. */
export function extendedExp(x: f64): void {
  const n = nearest(x / LN2_HI);
  exponent = n;
  if (abs(x) > 4503599627370496) {
    mantissa = 1;
    rest = 0;
    return;
  }
  // s + tail = x - n ln 2, to about 2^-100.
  const ph = n * LN2_HI;
  const pl = productRest(n, LN2_HI, ph);
  const qh = n * LN2_LO;
  const ql = productRest(n, LN2_LO, qh);
  twoSum(x - ph, -pl);
  const tl = lost;
  twoSum(sum, -qh);
  const s = sum;
  const tail = tl + lost + (-ql - n * LN2_TAIL);
  // r + rl = s + tail - j ln 2 / 128, |r| < 0.003
  const j = nearest((s * <f64>STEPS) / LN2_HI);
  const jh = j * (LN2_HI / <f64>STEPS);
  twoSum(s - jh, tail - productRest(j, LN2_HI / <f64>STEPS, jh) - (j * LN2_LO) / <f64>STEPS);
  const r = sum;
  const p =
    lost + r * r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720 + r * (1.0 / 5040))))));
  const step = <i32>j;
  const power = get(tableAt, step & (STEPS - 1));
  const xh = power * r;
  const xl = productRest(power, r, xh);
  twoSum(power, xh);
  const low = lost + (xl + power * p + get(tableAt, STEPS + (step & (STEPS - 1))) * (1 + r));
  const m = sum + low;
  rest = low - (m - sum);
  mantissa = m;
  exponent = n + <f64>(step >> 7);
}
