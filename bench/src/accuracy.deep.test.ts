import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cells, measure } from "./accuracy-grid.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

// A seed of its own: other rows than those of docs/accuracy.md.
const SEED = 20181;

describe("the accuracy contract holds on the grid", () => {
  it.each(cells(10_000))("n = $n, k = $k", (cell) => {
    let judged = 0;
    for (const { quantity, family, tau, error, allowed } of measure(oracle, cell, SEED)) {
      judged++;
      expect(error, `${quantity}, ${family}, tau = ${tau}`).toBeLessThanOrEqual(allowed);
    }
    expect(judged).toBeGreaterThan(50);
  });
});
