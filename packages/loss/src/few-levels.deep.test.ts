/**
 * A search for rows on which the loss is as wrong as it can be: a hill climb over levels, counts, k, temperature and margin.
 */
import { errorInU } from "@smooth-topk/conformance";
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { afterAll, beforeAll, expect, it } from "vitest";
import { instanceOf, type Levels } from "../testing/few-levels.ts";
import { smoothTopkLoss } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

const CLIMBS = 40;
const STEPS = 150;
/** Entries times order: what the oracle takes some ten milliseconds for. */
const LARGEST_WORK = 2e5;

/** Error as a share of the bound min(9, 8 + |z|) u. */
function badness(row: Levels): number {
  const { s, y, k, tau, alpha } = instanceOf(row);
  if (s.length * Math.min(k, s.length - k) > LARGEST_WORK) return 0;
  const { loss } = oracle.smoothTopkLoss(s, y, { k, tau, alpha });
  if (loss < 1e-300) return 0;
  const z = loss / tau > 700 ? loss / tau : Math.log(Math.expm1(loss / tau));
  return errorInU(smoothTopkLoss(s, y, { k, tau, alpha }), loss) / Math.min(9, 8 + Math.abs(z));
}

it("no climb finds a row of few levels outside min(9, 8 + |z|) u", { timeout: 1_800_000 }, () => {
  let state = Number(process.env["FC_SEED"] ?? 1) >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const integer = (below: number): number => Math.floor(random() * below);
  const level = (): Levels["levels"][number] => ({
    value: 60 * random() - 30,
    count: 2 + Math.floor(Math.exp(random() * 6)),
  });
  const change = (row: Levels): Levels => {
    const at = integer(row.levels.length);
    const { value, count } = row.levels[at];
    const moved = (next: Levels["levels"][number]): Levels => ({ ...row, levels: row.levels.with(at, next) });
    switch (integer(7)) {
      case 0:
        return moved({ value: value + (random() - 0.5) * Math.exp(4 * random() - 2), count });
      case 1:
        return moved({ value, count: Math.max(2, count + integer(9) - 4) });
      case 2:
        return { ...row, k: Math.max(0, row.k + integer(5) - 2) };
      case 3:
        return { ...row, logTau: row.logTau + random() - 0.5 };
      case 4:
        return { ...row, alpha: random() < 0.5 ? 0 : random() };
      case 5:
        return { ...row, jitter: [0, 1, 10][integer(3)] };
      default:
        return { ...row, seed: integer(2 ** 31) };
    }
  };
  let worst = 0;
  for (let climb = 0; climb < CLIMBS; climb++) {
    let row: Levels = {
      levels: Array.from({ length: 1 + integer(5) }, level),
      jitter: 0,
      seed: 1,
      k: integer(400),
      logTau: 6 * random() - 3,
      alpha: 0,
    };
    let height = badness(row);
    for (let step = 0; step < STEPS; step++) {
      const next = change(row);
      const found = badness(next);
      if (found >= height) {
        row = next;
        height = found;
      }
    }
    worst = Math.max(worst, height);
    expect(height <= 1 ? [] : [row]).toEqual([]);
  }
  console.log(`worst share of the bound: ${worst.toFixed(2)}`);
  expect(worst).toBeLessThanOrEqual(1);
});
