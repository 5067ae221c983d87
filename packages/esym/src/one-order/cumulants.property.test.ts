/**
 * Derivatives of log sigma_k of order 3 and 4 against the definition of joint cumulants, by enumeration of all subsets.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addOpenCumulants } from "./cumulants.ts";

/** All k-subsets with their probabilities, proportional to exp(sum of x over the subset). */
function subsets(x: readonly number[], k: number): { members: number[]; probability: number }[] {
  const all: number[][] = [];
  const extend = (members: number[], from: number): void => {
    if (members.length === k) all.push(members);
    else for (let i = from; i < x.length; i++) if (x[i] > -Infinity) extend([...members, i], i + 1);
  };
  extend([], 0);
  const logs = all.map((members) => members.reduce((sum, i) => sum + x[i], 0));
  const largest = Math.max(...logs);
  const weights = logs.map((v) => Math.exp(v - largest));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return all.map((members, a) => ({ members, probability: weights[a] / total }));
}

/** Partitions of 0..m-1 into blocks. */
function partitions(m: number): number[][][] {
  if (m === 0) return [[]];
  const found: number[][][] = [];
  for (const blocks of partitions(m - 1)) {
    for (const [b, block] of blocks.entries()) found.push(blocks.with(b, block.concat(m - 1)));
    found.push(blocks.concat([[m - 1]]));
  }
  return found;
}

/**
 * kappa of variables with mean zero, given by their values at every subset: the sum over partitions of
 * (-1)^(blocks - 1) (blocks - 1)! times the product of the blocks' mixed moments.
 */
function jointCumulant(variables: readonly number[][], probability: readonly number[]): number {
  let sum = 0;
  for (const blocks of partitions(variables.length)) {
    let term = 1;
    for (let b = 0; b < blocks.length; b++) {
      const moment = probability.reduce((all, p, a) => all + p * blocks[b].reduce((v, q) => v * variables[q][a], 1), 0);
      term *= b === 0 ? moment : -b * moment;
    }
    sum += term;
  }
  return sum;
}

const unit = fc.double({ min: -1, max: 1, noNaN: true });

function casesOf(spread: number): fc.Arbitrary<{ x: number[]; k: number; w: number[][] }> {
  const entry = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -spread, max: spread, noNaN: true }) },
    fc.constant(-Infinity),
  );
  return fc
    .record({ n: fc.integer({ min: 2, max: 8 }), k: fc.nat(8), m: fc.integer({ min: 2, max: 3 }) })
    .chain(({ n, k, m }) =>
      fc.record({
        x: fc.array(entry, { minLength: n, maxLength: n }),
        k: fc.constant(Math.min(k, n)),
        w: fc.array(fc.array(unit, { minLength: n, maxLength: n }), { minLength: m, maxLength: m }),
      }),
    );
}

function expectCumulants({ x, k, w }: { x: number[]; k: number; w: number[][] }): void {
  const present = x.filter((v) => v > -Infinity).length;
  const out = new Float64Array(x.length);
  addOpenCumulants(
    Float64Array.from(x),
    k,
    w.map((v) => Float64Array.from(v)),
    1,
    out,
  );
  if (k > present) {
    expect([...out]).toEqual(x.map(() => 0));
    return;
  }
  const all = subsets(x, k);
  const probability = all.map((a) => a.probability);
  const centred = (value: (members: number[]) => number): number[] => {
    const values = all.map(({ members }) => value(members));
    const mean = values.reduce((sum, v, a) => sum + probability[a] * v, 0);
    return values.map((v) => v - mean);
  };
  const sums = w.map((weights) => centred((members) => members.reduce((sum, i) => sum + weights[i], 0)));
  for (const [i, value] of out.entries()) {
    const inclusion = centred((members) => (members.includes(i) ? 1 : 0));
    const expected = jointCumulant([inclusion, ...sums], probability);
    // docs of addOpenCumulants: C_m n u pi_i range(w)^m sqrt(k)^m; here with k^m for the spread of a subset's sum, which
    // enumeration meets, with pi_i <= 1, and with the exponents' rounding: u k |x| at most, as arguments differ by that.
    // C_m = 40 counts Bell(4) = 15 groups and a few roundings in each factor of the 8 entries.
    const largest = Math.max(...x.filter((v) => v > -Infinity).map(Math.abs), 1);
    const allowed = 40 * (x.length + k * largest) * 2 ** -53 * (2 * Math.max(1, k)) ** w.length;
    expect(Math.abs(value - expected)).toBeLessThanOrEqual(allowed);
  }
}

describe("open cumulants", () => {
  it("are those of the k-subset distribution, with masked entries", () => {
    fc.assert(fc.property(casesOf(3), expectCumulants), { numRuns: 200 });
  });

  it("are finite and right where some subsets are e^2000 times likelier than others", () => {
    fc.assert(fc.property(casesOf(500), expectCumulants), { numRuns: 200 });
  });

  it("do not change when a constant is added to a direction, and vanish in a constant one", () => {
    const x = Float64Array.of(1, 2, 0.5, -1, 0);
    const [w, c] = [Float64Array.of(1, -2, 0.5, 0, 3), Float64Array.of(1, 1, 1, 1, 1)];
    const at = (...directions: Float64Array[]): Float64Array => {
      const out = new Float64Array(5);
      addOpenCumulants(x, 3, directions, 1, out);
      return out;
    };
    const shifted = w.map((v) => v + 1000);
    // 1000 is added exactly: w has multiples of 1/2 for entries, so only the centring rounds, at 1000 u.
    for (const [i, value] of at(w, w).entries())
      expect(Math.abs(at(shifted, w)[i] - value)).toBeLessThan(1e5 * 2 ** -53);
    for (const value of at(c, w)) expect(Math.abs(value)).toBeLessThan(1e3 * 2 ** -53);
  });
});
