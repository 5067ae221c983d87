/**
 * Rows of few distinct values.
 */
import * as fc from "fast-check";
import type { Instance } from "./instances.ts";

/** The double that is `steps` doubles away from v. */
function stepsFrom(v: number, steps: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, v);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(steps));
  return view.getFloat64(0);
}

/** What a row of few levels is made from; a hill climb changes one part at a time. */
export interface Levels {
  readonly levels: readonly { readonly value: number; readonly count: number }[];
  /** Each entry is moved by up to this many ulp. */
  readonly jitter: number;
  readonly seed: number;
  readonly k: number;
  readonly logTau: number;
  readonly alpha: number;
}

/** The label is the first entry. */
export function instanceOf({ levels, jitter, seed, k, logTau, alpha }: Levels): Instance {
  let state = seed;
  const s = levels.flatMap(({ value, count }) =>
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return jitter === 0 || Math.abs(value) < 1e-300
        ? value
        : stepsFrom(value, Math.round((state / 2 ** 31 - 1) * jitter));
    }),
  );
  const order = 1 + (k % (s.length - 1));
  return { s, y: 0, k: order, tau: Math.exp(logTau) / order, alpha };
}

/** One to five levels of up to n entries in all; k at random or near the edge of a level. */
export function fewLevels(n: number): fc.Arbitrary<Instance> {
  return fc
    .record({
      levels: fc.array(
        fc.record({
          value: fc.double({ min: -60, max: 60, noNaN: true }),
          count: fc.integer({ min: 2, max: Math.floor(n / 5) }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      jitter: fc.constantFrom(0, 1, 10),
      seed: fc.nat(),
      near: fc.nat({ max: 5 }),
      offset: fc.integer({ min: -2, max: 2 }),
      k: fc.nat(),
      logTau: fc.double({ min: -4, max: 4, noNaN: true }),
      alpha: fc.constantFrom(0, 0.5, 1),
    })
    .map(({ near, offset, k, ...rest }) => {
      const sorted = rest.levels.toSorted((a, b) => b.value - a.value);
      const edge = sorted.slice(0, near).reduce((sum, { count }) => sum + count, offset);
      return instanceOf({ ...rest, levels: sorted, k: near === 0 || edge < 1 ? k : edge - 1 });
    });
}
