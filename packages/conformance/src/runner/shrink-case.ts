/** Makes a failing case smaller while it still fails, by fast-check's shrinking. */
import * as fc from "fast-check";
import type { EspCase, LossCase } from "../vectors/case-family.ts";
import { type Dtype, roundTo } from "../dtypes.ts";
import { simplerNumber } from "./simpler-number.ts";

type Drawn = LossCase | EspCase;

/** One entry of a row: a score, or x and v. */
type Entry = readonly [number, number];

/** A row with its parameters, in the shape that shrinks best: no index depends on another. */
interface Shape {
  /** All entries but the label's. */
  readonly entries: Entry[];
  readonly k: number;
  readonly own: number;
  readonly position: number;
  readonly tau: number;
  readonly alpha: number;
}

function shapeOf(drawn: Drawn): Shape {
  if ("scores" in drawn) {
    const [scores] = drawn.scores;
    const [position] = drawn.labels;
    const entries = scores.toSpliced(position, 1).map((s): Entry => [s, 0]);
    const { k, tau, alpha } = drawn;
    return { entries, k, own: scores[position], position, tau, alpha };
  }
  const [x] = drawn.x;
  return {
    entries: x.map((value, i): Entry => [value, drawn.v[0][i]]),
    k: drawn.k,
    own: 0,
    position: 0,
    tau: 1,
    alpha: 1,
  };
}

/** The case of a shape, undefined where it is none. */
function caseOf({ entries, k, own, position, tau, alpha }: Shape, like: Drawn): Drawn | undefined {
  if (entries.length === 0 || k > entries.length || k < Math.min(1, like.k) || !(tau > 0)) return undefined;
  const row = entries.map(([value]) => value);
  if (!("scores" in like)) return { x: [row], k, v: [entries.map(([, v]) => v)] };
  const label = Math.min(position, row.length);
  return { scores: [row.toSpliced(label, 0, own)], labels: [label], k, tau, alpha };
}

function shapes({ k, position, entries }: Shape): fc.Arbitrary<Shape> {
  return fc.record({
    k: fc.integer({ min: 0, max: k }),
    entries: fc.array(fc.tuple(simplerNumber(), simplerNumber()), { maxLength: entries.length }),
    position: fc.integer({ min: 0, max: Math.max(position, 0) }),
    own: simplerNumber(),
    tau: simplerNumber(),
    alpha: simplerNumber(),
  });
}

/** The rows of a case as cases of one row. */
function singleRows(drawn: Drawn): Drawn[] {
  if ("scores" in drawn) {
    const { scores, labels } = drawn;
    return scores.map((row, b): Drawn => Object.assign({}, drawn, { scores: [row], labels: [labels[b]] }));
  }
  return drawn.x.map((row, b) => ({ x: [row], k: drawn.k, v: [drawn.v[b]] }));
}

export interface Shrunk {
  readonly drawn: Drawn;
  /** How many cases were tried. */
  readonly tried: number;
}

/**
 * @param fails    whether a case still fails.
 * @param seconds  no case is tried after so long.
 */
export async function shrinkCase(
  drawn: Drawn,
  dtype: Dtype,
  fails: (drawn: Drawn) => Promise<boolean>,
  seconds: number,
): Promise<Shrunk> {
  const deadline = Date.now() + seconds * 1000;
  let tried = 0;
  const stillFails = async (candidate: Drawn | undefined): Promise<boolean> => {
    if (candidate === undefined || Date.now() > deadline) return false;
    tried++;
    return fails(candidate);
  };
  let start = drawn;
  if (("scores" in drawn ? drawn.scores : drawn.x).length > 1) {
    // A mistake between rows does not show in one of them.
    let single: Drawn | undefined;
    for (const row of singleRows(drawn)) if (single === undefined && (await stillFails(row))) single = row;
    if (single === undefined) return { drawn, tried };
    start = single;
  }
  const shape = shapeOf(start);
  // A candidate may have numbers that the precision does not hold.
  const hold = (x: number): number => roundTo(dtype, x);
  const held = (s: Shape): Shape => ({
    ...s,
    entries: s.entries.map(([x, v]): Entry => [hold(x), hold(v)]),
    own: hold(s.own),
    tau: hold(s.tau),
    alpha: hold(s.alpha),
  });
  const property = fc.asyncProperty(shapes(shape), async (s) => !(await stillFails(caseOf(held(s), start))));
  const { counterexample } = await fc.check(property, { examples: [[shape]], numRuns: 1, seed: 0 });
  return { drawn: (counterexample === null ? undefined : caseOf(held(counterexample[0]), start)) ?? start, tried };
}
