/**
 * Exponentials of scaled scores: exp((x - centre) / temperature), from a table of 2^(j/128) and a short polynomial.
 *
 * Math.exp costs most of a loss row, and dividing by the temperature first would lose |x - centre| / temperature
 * units in the last place. Here the argument is reduced in the units of the scores, by multiples of
 * temperature ln 2 / 128 held to 90 bits, so the relative error stays below 1.2 u at any size of argument
 * (one rounding of the result, 1 u, and 0.1 u from table and polynomial; asserted in exponential.test.ts).
 * P. T. P. Tang, Table-driven implementation of the exponential function, ACM TOMS 15 (1989).
 */
import {
  divide,
  type DoubleDouble,
  fastTwoSum,
  LN2_HI,
  LN2_LO,
  LN2_TAIL,
  multiply,
  twoProduct,
  twoSum,
} from "./double-double.ts";

const STEPS = 128;
/** 1.5 * 2^52: adding and subtracting it rounds a double of moderate size to an integer. */
const ROUND = 6755399441055744;
/** exp(-LOWEST) is under half the smallest subnormal. */
const LOWEST = 746;
const LARGEST_SHIFT = 1080;

const tableHi = new Float64Array(STEPS);
const tableLo = new Float64Array(STEPS);
/** 2^(m - LARGEST_SHIFT) at index m. */
const powers = new Float64Array(LARGEST_SHIFT + 1024);
for (let m = 0; m < powers.length; m++) powers[m] = 2 ** (m - LARGEST_SHIFT);
{
  // 2^(1/128) by seven square roots in double-double, then its powers.
  let root: DoubleDouble = [2, 0];
  for (let halvings = 0; halvings < 7; halvings++) {
    const r = Math.sqrt(root[0]);
    const [ph, pl] = twoProduct(r, r);
    root = [r, (root[0] - ph - pl + root[1]) / (2 * r)];
  }
  let power: DoubleDouble = [1, 0];
  for (let j = 0; j < STEPS; j++) {
    tableHi[j] = power[0];
    tableLo[j] = power[1];
    power = multiply(power, root);
  }
}

/** A temperature T, prepared for argument reduction. */
export interface ExponentialScale {
  /** T to twice the working precision. */
  readonly temperature: DoubleDouble;
  /** 1 / T. */
  readonly inverse: number;
  /** 128 / (T ln 2). */
  readonly steps: number;
  /** T ln 2 / 128: 36 bits, so that a multiple up to 2^17 is exact; and the rest. */
  readonly stepHi: number;
  readonly stepLo: number;
}

/** Prepares exp(x / T); T > 0 in double-double, because a product k tau of doubles is not a double. */
export function exponentialScale(temperature: DoubleDouble): ExponentialScale {
  const step = divide(multiply(temperature, [LN2_HI, LN2_LO]), [STEPS, 0]);
  const t = (2 ** 17 + 1) * step[0];
  const stepHi = t - (t - step[0]);
  return {
    temperature,
    inverse: 1 / temperature[0],
    steps: 1 / step[0],
    stepHi,
    stepLo: step[0] - stepHi + step[1],
  };
}

/** exp(x): the scale of plain log-values. */
export const UNIT_SCALE: ExponentialScale = exponentialScale([1, 0]);

/** exp((x - centre) / T) for -LOWEST < (x - centre) / T < 709. */
function expNear(x: number, centre: number, steps: number, stepHi: number, stepLo: number, inverse: number): number {
  const t = x - centre;
  const m = t * steps + ROUND - ROUND;
  const step = m | 0;
  const back = t - x;
  const low = x - (t - back) - (centre + back);
  const r = (t - m * stepHi - m * stepLo + low) * inverse;
  const r2 = r * r;
  const p = r + r2 * (0.5 + r * (1 / 6) + r2 * (1 / 24 + r * (1 / 120)));
  const j = step & (STEPS - 1);
  const power = tableHi[j];
  return (power + (tableLo[j] + power * p)) * powers[(step >> 7) + LARGEST_SHIFT];
}

/**
 * out[i] = exp((x[i] - centre) / T) for i < n, where no x[i] is more than 709 T above the centre; 0 for x[i] = -Infinity.
 *
 * Relative error below 1.2 u for results in the normal range.
 */
export function expBelow(x: Float64Array, n: number, centre: number, scale: ExponentialScale, out: Float64Array): void {
  const { steps, stepHi, stepLo, inverse } = scale;
  const lowest = -LOWEST / inverse;
  for (let i = 0; i < n; i++) {
    const v = x[i];
    out[i] = v - centre > lowest ? expNear(v, centre, steps, stepHi, stepLo, inverse) : 0;
  }
}

/** exp((x - centre) / T) of one x: the element of {@link expBelow}. */
export function expBelowOne(x: number, centre: number, scale: ExponentialScale): number {
  const { steps, stepHi, stepLo, inverse } = scale;
  return x - centre > -LOWEST / inverse ? expNear(x, centre, steps, stepHi, stepLo, inverse) : 0;
}

/** (mantissa + rest) 2^exponent, with a mantissa in [0.7, 1.5] and an integer exponent of any size. */
export interface ExtendedNumber {
  readonly mantissa: number;
  readonly rest: number;
  readonly exponent: number;
}

/**
 * exp(hi + lo) without overflow, relative error of mantissa + rest below 2^-66.
 *
 * Beyond |hi| = 2^52, where neighbouring doubles are a factor e apart, only the exponent is kept.
 */
export function extendedExp(hi: number, lo: number): ExtendedNumber {
  const n = Math.round(hi / LN2_HI);
  if (Math.abs(hi) > 2 ** 52) return { mantissa: 1, rest: 0, exponent: n };
  // s + tail = hi + lo - n ln 2, to about 2^-100.
  const [ph, pl] = twoProduct(n, LN2_HI);
  const [qh, ql] = twoProduct(n, LN2_LO);
  const [t, tl] = twoSum(hi - ph, -pl);
  const [s, sl] = twoSum(t, -qh);
  const tail = tl + sl + (lo - ql - n * LN2_TAIL);
  // r + rest = s + tail - j ln 2 / 128, |r| < 0.003
  const j = Math.round((s * STEPS) / LN2_HI);
  const [jh, jl] = twoProduct(j, LN2_HI / STEPS);
  const [r, rl] = twoSum(s - jh, tail - jl - (j * LN2_LO) / STEPS);
  const p = rl + r * r * (0.5 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040))))));
  const power = tableHi[j & (STEPS - 1)];
  const [xh, xl] = twoProduct(power, r);
  const [mh, ml] = twoSum(power, xh);
  const low = ml + (xl + power * p + tableLo[j & (STEPS - 1)] * (1 + r));
  const [mantissa, rest] = fastTwoSum(mh, low);
  return { mantissa, rest, exponent: n + (j >> 7) };
}

/** 2^exponent for an integer exponent of any size: 0 and Infinity where a double ends. */
export function powerOfTwo(exponent: number): number {
  return exponent > 1100 ? Infinity : exponent < -1100 ? 0 : 2 ** exponent;
}
