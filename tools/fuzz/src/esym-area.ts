/**
 * log sigma, inclusion probabilities and Hessian-vector products against the oracle.
 */
import { createOracle } from "@smooth-topk/conformance/oracle";
import { inclusionProbabilities, logEsp, logEspHvp } from "@smooth-topk/esym";
import type { Area, Family, Judged } from "./area.ts";
import { lossFamilies } from "./loss-families.ts";
import { simplerNumbers, withoutParts } from "./shrink.ts";

export interface EspCase {
  readonly x: readonly number[];
  readonly k: number;
  readonly v: readonly number[];
}

const U = 2 ** -53;
const FLOOR = 1e-280;
/** The oracle takes O(n k) operations of hundreds of bits. */
const MOST_ENTRIES = 60;

/** The scores of the losses' families, over their temperature: the same kinds of trouble. */
const families: readonly Family<EspCase>[] = lossFamilies.map(({ name, draw }) => ({
  name,
  draw: (random) => {
    const { scores, k, tau } = draw(random);
    const row = scores.slice(0, MOST_ENTRIES).map((s) => s / (k * tau));
    const order = Math.min(k, row.length);
    // All orders at once take entries up to 2^52 / k in size.
    const largest = Math.max(...row.map((s) => (s > -Infinity ? Math.abs(s) : 0)));
    const shrink = Math.min(1, 2 ** 51 / order / Math.max(1, largest));
    const x = row.map((s) => s * shrink);
    return { x, k: order, v: x.map(() => random.normal()) };
  },
}));

export async function esymArea(): Promise<Area<EspCase>> {
  const oracle = await createOracle();
  return {
    families,
    close: () => oracle.destroy(),
    judge: ({ x, k, v }) => {
      let result: Judged = { used: 0, reason: "" };
      const see = (what: string, actual: number, expected: number, allowed: number): void => {
        const used = Object.is(actual, expected) || actual === expected ? 0 : Math.abs(actual - expected) / allowed;
        if (used > result.used || Number.isNaN(used)) {
          result = { used: used >= 0 ? used : Infinity, reason: `${what} is ${actual} for ${expected}` };
        }
      };
      const logs = oracle.logEsp(x, k);
      const ours = logEsp(x, k).data;
      for (const [j, e] of logs.entries()) see(`log sigma_${j}`, ours[j], e, 2 * U * Math.max(1, Math.abs(e)));
      const pi = oracle.inclusionProbabilities(x, k);
      const inclusion = inclusionProbabilities(x, k).data;
      for (const [i, p] of pi.entries()) see(`pi_${i}`, inclusion[i], p, (8 * k + 4) * U * p + 2 * FLOOR);
      const hv = oracle.logEspHvp(x, k, v);
      const product = logEspHvp(x, k, v).data;
      const present = v.filter((_, i) => x[i] > -Infinity);
      const range = Math.max(...present) - Math.min(...present);
      for (const [i, h] of hv.entries()) {
        // H_ii is pi (1 - pi) < pi, and where pi is near 1 the oracle's own H_ii, whose difference would cancel.
        const unit = (): readonly number[] => x.map((_, l) => (l === i ? 1 : 0));
        const diagonal = pi[i] < 0.5 ? pi[i] : oracle.logEspHvp(x, k, unit(), { select: [i] })[0];
        see(`(H v)_${i}`, product[i], h, 16 * k * U * diagonal * range + 2 * FLOOR);
      }
      return result;
    },
    *simpler(example) {
      const { x, k, v } = example;
      for (const kept of withoutParts([...x.keys()])) {
        if (kept.length === 0) continue;
        yield { x: kept.map((i) => x[i]), k: Math.min(k, kept.length), v: kept.map((i) => v[i]) };
      }
      if (k > 1) yield { ...example, k: k - 1 };
      for (const [i, value] of x.entries()) {
        for (const simple of simplerNumbers(value)) yield { ...example, x: x.with(i, simple) };
        for (const simple of simplerNumbers(v[i])) yield { ...example, v: v.with(i, simple) };
      }
    },
  };
}
