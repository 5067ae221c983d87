/**
 * The definitions themselves: sums over all k-subsets, in floating point of 2000 bits by gmp-wasm's own number
 * objects. Nothing is scaled, nothing shared between subsets, and nothing shared with the oracle but MPFR.
 *
 * Good for few entries of moderate size: with |x| below 60 and k at most 5 the results keep more than 1000 bits.
 */
import { init } from "gmp-wasm";

/** What is used of gmp-wasm's numbers, whose own declaration names a type that its declarations do not have. */
interface Float {
  add(v: Float): Float;
  sub(v: Float): Float;
  mul(v: Float): Float;
  div(v: Float): Float;
  exp(): Float;
  ln(): Float;
  toNumber(): number;
}

export interface Definition {
  logEsp(x: readonly number[], k: number): number[];
  inclusionProbabilities(x: readonly number[], k: number): number[];
  logEspVjp(x: readonly number[], cotangent: readonly number[]): number[];
  logEspHvp(x: readonly number[], k: number, v: readonly number[]): number[];
  /** Central difference of the inclusion probabilities along v, with a step of 2^-500 and an error of its square. */
  hvpByDifferences(x: readonly number[], k: number, v: readonly number[]): number[];
  logEspRatio(x: readonly number[], k: number): { value: number; grad: number[] };
  smoothTopkLoss(
    scores: readonly number[],
    label: number,
    parameters: { k: number; tau: number; alpha: number },
  ): { loss: number; grad: number[] };
  crossEntropy(scores: readonly number[], label: number): { loss: number; grad: number[] };
  destroy(): void;
}

/** All k-subsets of 0, ..., n - 1. */
function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const found: number[][] = [];
  for (let first = from; first <= n - k; first++) {
    for (const rest of subsets(n, k - 1, first + 1)) found.push([first, ...rest]);
  }
  return found;
}

export async function createDefinition(): Promise<Definition> {
  const context = (await init()).getContext({ precisionBits: 2000 });
  const float = (x: number): Float => context.Float(x) as unknown as Float;
  const zero = float(0);
  const sum = (terms: readonly Float[]): Float => terms.reduce((total, term) => total.add(term), zero);
  const exact = (x: readonly number[]): Float[] => x.map(float);

  /** The k-subsets of the entries that are there, with their weights exp(sum over A of x_i). */
  const weighted = (x: readonly (Float | null)[], k: number): { subset: number[]; weight: Float }[] => {
    const there = x.flatMap((v, i) => (v === null ? [] : [i]));
    return subsets(there.length, k).map((places) => {
      const subset = places.map((place) => there[place]);
      return { subset, weight: sum(subset.map((i) => x[i] as Float)).exp() };
    });
  };
  const entries = (x: readonly number[]): (Float | null)[] => x.map((v) => (v === -Infinity ? null : float(v)));
  const total = (terms: readonly { weight: Float }[]): Float => sum(terms.map(({ weight }) => weight));
  const probabilities = (x: readonly (Float | null)[], k: number): Float[] => {
    const terms = weighted(x, k);
    const all = total(terms);
    return x.map((_, i) => total(terms.filter(({ subset }) => subset.includes(i))).div(all));
  };
  const numbers = (values: readonly Float[]): number[] => values.map((value) => value.toNumber() + 0);

  return {
    logEsp: (x, k) =>
      Array.from({ length: k + 1 }, (_, j) => {
        const terms = weighted(entries(x), j);
        return terms.length === 0 ? -Infinity : total(terms).ln().toNumber() + 0;
      }),

    inclusionProbabilities: (x, k) => numbers(probabilities(entries(x), k)),

    logEspVjp: (x, cotangent) => {
      const perOrder = cotangent.map((v, j) => probabilities(entries(x), j).map((p) => p.mul(float(v))));
      return numbers(x.map((_, i) => sum(perOrder.map((order) => order[i]))));
    },

    logEspHvp: (x, k, v) => {
      const terms = weighted(entries(x), k);
      const all = total(terms);
      const direction = exact(v);
      const mean = (of: (subset: number[]) => Float): Float =>
        sum(terms.map(({ subset, weight }) => weight.mul(of(subset)))).div(all);
      const weightOf = (subset: number[]): Float => sum(subset.map((i) => direction[i]));
      const mu = mean(weightOf);
      return numbers(
        x.map((_, i) => {
          const isIn = (subset: number[]): Float => float(subset.includes(i) ? 1 : 0);
          return mean((subset) => isIn(subset).mul(weightOf(subset))).sub(mean(isIn).mul(mu));
        }),
      );
    },

    hvpByDifferences: (x, k, v) => {
      const step = float(2 ** -250).mul(float(2 ** -250));
      const at = (sign: number): Float[] =>
        probabilities(
          entries(x).map((entry, i) => entry?.add(float(sign).mul(step).mul(float(v[i]))) ?? null),
          k,
        );
      const [ahead, behind] = [at(1), at(-1)];
      return numbers(ahead.map((p, i) => p.sub(behind[i]).div(float(2).mul(step))));
    },

    logEspRatio: (x, k) => {
      const [above, below] = [probabilities(entries(x), k), probabilities(entries(x), k - 1)];
      const value = total(weighted(entries(x), k)).div(total(weighted(entries(x), k - 1)));
      return { value: value.ln().toNumber() + 0, grad: numbers(above.map((p, i) => p.sub(below[i]))) };
    },

    // tau log( sum over A of exp((alpha [y not in A] + sum over A of s_j / k) / tau) ) - tau log( same, A with y,
    // without alpha ); its gradient is 1/k times the difference of the two expectations of [i in A].
    smoothTopkLoss: (scores, label, { k, tau, alpha }) => {
      const there = scores.flatMap((s, i) => (s === -Infinity ? [] : [i]));
      const terms = subsets(there.length, k).map((places) => {
        const subset = places.map((place) => there[place]);
        const mean = sum(subset.map((i) => float(scores[i]))).div(float(k));
        const margin = float(subset.includes(label) ? 0 : alpha);
        return { subset, weight: margin.add(mean).div(float(tau)).exp() };
      });
      const good = terms.filter(({ subset }) => subset.includes(label));
      const loss = float(tau).mul(total(terms).ln().sub(total(good).ln()));
      const grad = scores.map((_, i) => {
        const contains = ({ subset }: { subset: number[] }): boolean => subset.includes(i);
        const inAll = total(terms.filter(contains)).div(total(terms));
        return inAll.sub(total(good.filter(contains)).div(total(good))).div(float(k));
      });
      return { loss: loss.toNumber() + 0, grad: numbers(grad) };
    },

    crossEntropy: (scores, label) => {
      const exponentials = scores.map((s) => (s === -Infinity ? zero : float(s).exp()));
      const all = sum(exponentials);
      const softmax = exponentials.map((e) => e.div(all));
      return {
        loss: all.ln().sub(float(scores[label])).toNumber() + 0,
        grad: numbers(softmax.map((p, i) => (i === label ? p.sub(float(1)) : p))),
      };
    },

    destroy: () => context.destroy(),
  };
}
