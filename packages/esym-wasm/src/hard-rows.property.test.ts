/**
 * The loss of hard rows against the oracle, in both precisions: the contract of docs/accuracy.md.
 */
import { type Oracle, createOracle } from "@smooth-topk/conformance/oracle";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENDS, type HardRow, hardRow, KNOWN } from "../testing/hard-rows.ts";
import { lossOfRatio } from "../testing/loss-of-ratio.ts";
import { createWasmBackend, type WasmBackend } from "./index.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  let backend: WasmBackend;
  beforeAll(async () => {
    backend = await createWasmBackend({ dtype });
  });
  afterAll(() => backend.destroy());

  const u = dtype === "float64" ? 2 ** -53 : 2 ** -24;
  const floor = dtype === "float64" ? 1e-280 : 1e-30;

  function expectWithinContract({ scores, label, k, tau, alpha }: HardRow): void {
    const found = lossOfRatio(backend.sync, [scores], [label], k, tau, alpha);
    const [grad] = found.grad;
    const [loss] = found.loss;
    const expected = oracle.smoothTopkLoss(scores, label, { k, tau, alpha });
    const allowed = dtype === "float64" ? (8 + Math.abs(expected.z)) * u : 1e-5;
    if (expected.loss > floor) expect(Math.abs(loss / expected.loss - 1)).toBeLessThanOrEqual(allowed);
    else expect(loss).toBeLessThanOrEqual(2 * floor);
    const largest = expected.grad.reduce((most: number, g: number) => Math.max(most, Math.abs(g)), 0);
    for (const [i, g] of expected.grad.entries()) {
      const size = Math.abs(g);
      const tolerance = dtype === "float64" ? 64 * k * u * size : Math.min(1e-3 * size, 1e-5 * largest);
      if (size > floor) expect(Math.abs(grad[i] - g)).toBeLessThanOrEqual(tolerance);
      else expect(Math.abs(grad[i])).toBeLessThanOrEqual(2 * floor);
    }
  }

  it("is within the contract on rows of few levels and of every spread", () => {
    fc.assert(fc.property(hardRow, expectWithinContract), { numRuns: 150 });
  });

  it.each(KNOWN)("is within the contract on a row that others fail: k = $k, tau = $tau", (row) => {
    expectWithinContract(row);
  });

  // Outside the range of floats a backend of floats refuses.
  it.runIf(dtype === "float64").each(ENDS)("is within the contract at the ends of the range: tau = $tau", (row) =>
    expectWithinContract(row),
  );

  it.runIf(dtype === "float64").each([
    { x: [1e300, 0, 1], k: 1, T: 1e-6, leftOut: 1, ratio: 1, centre: 1e300, grad: [1, 0, 0] },
    { x: [1e305, 0, 0], k: 1, T: 1, leftOut: 1, ratio: 1, centre: 1e305, grad: [1, 0, 0] },
    { x: [1e308, 1e308, -1e308, 5], k: 2, T: 2, leftOut: 2, ratio: 0.5, centre: 1e308, grad: [0.5, 0.5, 0, 0] },
    { x: [1e308, -1e308, -1e308, 0], k: 2, T: 1e280, leftOut: -1, ratio: 1, centre: 0, grad: [0, 0, 0, 1] },
  ])("is exact where scores are further apart than doubles reach: $x", ({ x, k, T, leftOut, ratio, centre, grad }) => {
    const found = backend.sync.logEspRatio(x, k, { temperature: [T, 0], leftOut: [leftOut] });
    expect([found.ratio.get(0), found.centre.get(0)]).toEqual([ratio, centre]);
    expect(Array.from(found.grad.data)).toEqual(grad);
  });

  it.runIf(dtype === "float32")("refuses doubles beyond the range of floats, by name", () => {
    expect(() => backend.sync.logEspRatio([3e38, -3e38, 1e39], 1)).toThrow(
      "logEspRatio: x[2] is 1e+39, expected a number in the range of single precision",
    );
  });
});
