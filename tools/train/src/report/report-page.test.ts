import { describe, expect, it } from "vitest";
import type { Identity } from "../experiment/identity.ts";
import type { Run } from "../experiment/journal.ts";
import { lineChart } from "./line-chart.ts";
import { LOSSES } from "../training/trained-loss.ts";
import { combinations } from "../experiment/plan.ts";
import { reportPage } from "./report-page.ts";
import { chosenRuns, summarise } from "./summary.ts";
import { resultTable } from "./table.ts";

const identity: Identity = {
  data: "<b>data & more",
  samples: 100,
  classes: 10,
  superClasses: 2,
  shape: [4],
  fingerprint: "0".repeat(64),
  backend: "cpu",
  model: "mlp",
  hidden: 8,
  epochs: 2,
  batchSize: 4,
  momentum: 0.9,
  weightDecay: 0,
  k: 3,
  alpha: 1,
  taus: [0.1, 1],
  learningRates: [0.1],
};
const axes = { losses: LOSSES, noises: [0, 0.4, 1], fractions: [1, 0.5], seeds: [1, 2] };
const runs: Run[] = combinations(axes).flatMap((combination, i) =>
  [0.1, 1].map((tau) => ({
    loss: combination.loss,
    noise: combination.noise,
    fraction: combination.fraction,
    seed: combination.seed,
    id: `${i} ${tau}`,
    tau: combination.loss === "smooth-topk" ? tau : null,
    learningRate: tau,
    validation: { top1: 0.1, topk: tau / 2 },
    test: { top1: 0.1 + i / 1000, topk: 0.5 + i / 1000 },
    curves: { loss: [2, 1], top1: [0.1, 0.2], topk: [0.3, 0.4] },
    diverged: false,
    seconds: 1,
    commit: null,
  })),
);
const results = { identity, runs, summary: summarise(chosenRuns(runs, 2)), complete: true };
const page = reportPage(results);

/** Every element is closed in order. */
function expectNested(text: string): void {
  const open: string[] = [];
  for (const [, closing, name, rest] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (["meta"].includes(name) || rest.endsWith("/")) continue;
    if (closing === "") open.push(name);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
}

describe("report.html", () => {
  it("is well-formed and needs nothing from outside", () => {
    expectNested(page);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it("shows names from outside as text", () => {
    expect(page).toContain("&lt;b&gt;data &amp; more");
    expect(page).not.toContain("<b>data");
  });

  it("has the figures that there are data for, and a table from elsewhere only where one is given", () => {
    const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading);
    expect(headings).toEqual([
      "Accuracy against label noise",
      "Accuracy against training size",
      "The effect of the temperature",
      "Learning curves",
      "All results",
      "What was run",
    ]);
    expect(page).not.toContain("For comparison");
    const beside = reportPage(results, {
      title: "Another <set>",
      source: "a table & its page",
      k: 4,
      rows: [0, 0.3].map((noise) => ({ loss: "topk", noise, top1: 0.25, topk: 0.625 - noise })),
    });
    expectNested(beside);
    expect(beside).toContain("For comparison: Another &lt;set&gt;");
    expect(beside).toContain("a table &amp; its page");
    expect(beside).toContain("hard top-4, label noise 0: 63 %");
    expect(beside).toContain("hard top-4, label noise 0.3: 33 %");
    expect(beside).not.toMatch(/NaN|undefined|Infinity/);
    const alone = results.summary.filter(({ noise, fraction }) => noise === 0 && fraction === 1);
    const small = reportPage({ ...results, summary: alone, identity: { ...identity, taus: [1] } });
    expect(small).not.toContain("Accuracy against");
    expectNested(small);
  });

  it("says so where it is unfinished, or empty", () => {
    expect(reportPage({ ...results, complete: false })).toContain("Unfinished");
    const empty = reportPage({ ...results, runs: [], summary: [], complete: false });
    expect(empty).toContain("No combination is finished yet");
    expectNested(empty);
  });

  it("holds every mean of the table on the terminal", () => {
    const means = resultTable(results).match(/\d+\.\d ± \d+\.\d/g) ?? [];
    expect(means.length).toBeGreaterThan(2 * results.summary.length);
    for (const mean of means) expect(page).toContain(mean);
  });
});

describe("a chart", () => {
  const chart = (points: readonly { x: number; y: number; error?: number }[], x: "linear" | "log"): number[][] => {
    const svg = lineChart({ title: "t", xLabel: "x", description: "d", x, yFormat: String }, [
      { name: "s", ink: "topk", marker: "circle", points },
    ]);
    return [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, cx, cy]) => [Number(cx), Number(cy)]);
  };

  it("puts equal steps at equal distances, higher values higher", () => {
    const [[x0, y0], [x1, y1], [x2, y2]] = chart(
      [0, 1, 2].map((v) => ({ x: v, y: 3 * v })),
      "linear",
    );
    // Coordinates are rounded to tenths.
    expect(Math.abs(x2 - x1 - (x1 - x0))).toBeLessThan(0.21);
    expect(Math.abs(y2 - y1 - (y1 - y0))).toBeLessThan(0.21);
    expect(x0).toBeLessThan(x1);
    expect(y0).toBeGreaterThan(y1);
  });

  it("puts equal ratios at equal distances on a logarithmic axis", () => {
    const [[x0], [x1], [x2]] = chart(
      [0.1, 1, 10].map((v) => ({ x: v, y: v })),
      "log",
    );
    expect(Math.abs(x2 - x1 - (x1 - x0))).toBeLessThan(0.21);
  });

  it("keeps all that it draws inside, error bars included", () => {
    const svg = lineChart({ title: "t", xLabel: "x", description: "d", x: "linear", yFormat: String }, [
      {
        name: "s",
        ink: "topk",
        marker: "circle",
        points: [
          { x: 0, y: 1, error: 5 },
          { x: 1, y: 2, error: null },
        ],
      },
    ]);
    const [, from, to] = /class="bar" d="M[\d.]+ ([-\d.]+)V([-\d.]+)/.exec(svg) as RegExpExecArray;
    expect(Number(from)).toBeLessThanOrEqual(230);
    expect(Number(to)).toBeGreaterThanOrEqual(30);
    expect(Number(from)).toBeGreaterThan(Number(to));
  });
});
