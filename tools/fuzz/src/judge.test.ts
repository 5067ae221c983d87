/**
 * The fast judge agrees with the oracle, a fault is found and shrunk, and what was once found stays mended.
 */
import { readFileSync } from "node:fs";
import { createOracle, type Oracle } from "@smooth-topk/conformance/oracle";
import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomOf } from "./area.ts";
import { esymArea, type EspCase } from "./esym-area.ts";
import { fromText, fuzz, textOf } from "./fuzz.ts";
import { gradArea } from "./grad-area.ts";
import { lossArea, type LossFunction } from "./loss-area.ts";
import { lossFamilies } from "./loss-families.ts";
import { judgeLoss, type LossCase } from "./loss-judge.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await createOracle();
});
afterAll(() => oracle.destroy());

const library: LossFunction = ({ scores, label, ...options }) => {
  const { value, grad } = smoothTopkLossValueAndGrad(scores, label, options);
  return { value, grad: grad.data };
};
const limits = { seed: 5, time: 60_000, cases: 400, shrinking: 5000 };

// The oracle rounds once, u; the fast judge's own errors are below 2^-80.
it.each(lossFamilies)("the fast judge is right to 1.001 u: $name", ({ draw }) => {
  let answered = 0;
  for (let at = 0; at < 12; at++) {
    const example = draw(randomOf(1, at));
    const { scores, label, ...rest } = example;
    if (scores.length * rest.k > 2000) continue;
    const entry = (label + 1) % scores.length;
    const judged = judgeLoss(example, entry);
    if (judged === null) continue;
    answered++;
    const exact = oracle.smoothTopkLoss(scores, label, rest);
    for (const [[hi, lo], expected] of [
      [judged.loss, exact.loss],
      [judged.atLabel, exact.grad[label]],
      [judged.atEntry, exact.grad[entry]],
    ] as const) {
      if (Math.abs(expected) < 1e-280) continue;
      expect(Math.abs(hi - expected + lo) / Math.abs(expected)).toBeLessThanOrEqual(1.001 * 2 ** -53);
    }
  }
  expect(answered).toBeGreaterThan(0);
});

describe("the fuzzer", () => {
  it.each<[string, LossFunction]>([
    ["a relative 2e-15 in the loss", (c) => ({ ...library(c), value: library(c).value * (1 + 2e-15) })],
    ["a loss of NaN", (c) => ({ ...library(c), value: NaN })],
    [
      "64 k u and more in every gradient entry",
      (c) => {
        const { value, grad } = library(c);
        return { value, grad: Array.from(grad, (g) => g * (1 + 80 * c.k * 2 ** -53)) };
      },
    ],
  ])("finds %s and shrinks it to a row of two or three", async (_name, subject) => {
    const area = await lossArea(subject);
    const { failures } = await fuzz(area, { ...limits, cases: lossFamilies.length });
    area.close();
    expect(failures.length).toBeGreaterThan(0);
    expect((fromText(failures[0].text) as LossCase).scores.length).toBeLessThanOrEqual(3);
  });

  it("draws the same cases from the same seed", async () => {
    const run = async () => {
      const area = await lossArea();
      const { results } = await fuzz(area, { ...limits, cases: 40 });
      area.close();
      return results;
    };
    expect(await run()).toEqual(await run());
  });

  it("finds nothing in a few hundred cases of each area", async () => {
    const [loss, esym, grad] = [await lossArea(), await esymArea(), gradArea()];
    const found = [
      ...(await fuzz(loss, limits)).failures,
      ...(await fuzz(esym, { ...limits, cases: 120 })).failures,
      ...(await fuzz(grad, { ...limits, cases: 100 })).failures,
    ];
    for (const area of [loss, esym, grad]) area.close();
    expect(found).toEqual([]);
  });

  it("writes cases that read back as they were", () => {
    const example = { scores: [-Infinity, -0, 0.1, 5e-324], label: 2 };
    expect(fromText(textOf(example))).toEqual(example);
  });
});

interface Regression {
  readonly name: string;
  readonly area: "loss" | "esym";
  readonly case: unknown;
}
const regressions = fromText(readFileSync(new URL("../regressions.json", import.meta.url), "utf8")) as Regression[];

it.each(regressions)("stays mended: $name", async ({ area, case: example }) => {
  const opened = area === "loss" ? await lossArea() : await esymArea();
  const { used, reason } = await opened.judge(example as LossCase & EspCase);
  opened.close();
  expect({ used, reason }).toEqual({ used: expect.any(Number), reason: expect.any(String) });
  expect(used).toBeLessThanOrEqual(1);
});
