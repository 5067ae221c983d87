/**
 * The product of the factors as a fast port has it, but for a constant: those of light entries, 1 + e X with e at most
 * theta, by their power sums and Newton's identities, j c_j = p_1 c_{j-1} - p_2 c_{j-2} + ..., the others one by one.
 * What is dropped after M sums is, relative to coefficient k, about k theta^M / ((M + 1) (1 - theta)).
 */
import { type Factor, type Polynomial, product } from "./factors.ts";

/** How it is done; each property is a mistake that can be made. */
export interface Split {
  readonly theta: number;
  /** M, of what is enough. */
  readonly sums: (enough: number) => number;
  /** The sign of the second term of the identities. */
  readonly sign: number;
  /** Light entries, from the largest on, that are among the heavy ones too. */
  readonly twice: number;
}

export const CORRECT_SPLIT: Split = { theta: 1 / 16, sums: (enough) => enough, sign: -1, twice: 0 };

/** Coefficients above e^k would need a scale: the plain product there. */
const LARGEST_ORDER = 300;

export function lightAndHeavy(factors: readonly Factor[], k: number, limit: number, split: Split): Polynomial {
  const { theta, sums, sign, twice } = split;
  const isLight = ({ a, b }: Factor): boolean => b <= theta * a;
  const light = factors.filter(isLight).sort((p, q) => q.b / q.a - p.b / p.a);
  if (light.length === 0 || k > LARGEST_ORDER) return product(factors, k, (x) => x, limit);
  const heavy = factors.filter((factor) => !isLight(factor)).concat(light.slice(0, twice));

  let enough = 1;
  while (enough < k && (k * theta ** enough) / (enough + 1) > 2 ** -56) enough++;
  const powers = light.map(({ a, b }) => b / a);
  const p = Array.from({ length: sums(enough) }, (_, m) => powers.reduce((total, e) => total + e ** (m + 1), 0));
  const c = [1];
  for (let j = 1; j <= k; j++) {
    const terms = p.slice(0, j).map((sum, m) => sign ** m * sum * c[j - 1 - m]);
    c.push(terms.reduceRight((total, term) => total + term, 0) / j);
  }

  const { c: h, t, scale } = product(heavy, k, (x) => x, limit);
  const whole = h.map((_, j) => c.slice(0, j + 1).reduce((total, value, i) => total + value * h[j - i], 0));
  return { c: whole, t, scale };
}
