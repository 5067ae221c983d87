import { beforeAll, describe, expect, it } from "vitest";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { correct } from "../../testing/ports/straightforward.ts";
import { FIRST_BEYOND, histogramOf } from "./error-histogram.ts";
import type { NumberError } from "./judge.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import { reportPage } from "./report-page.ts";
import { reportTable } from "./report-table.ts";
import { type Run, runConformance } from "./run-conformance.ts";

const of = (error: number, allowed: number): NumberError => ({
  result: "loss",
  row: 0,
  index: 0,
  expected: 1,
  actual: 1,
  error,
  allowed,
});

describe("a histogram of errors", () => {
  it("counts every value once, and puts the bound itself within", () => {
    const errors = [0, 1e-9, 0.5, 8, 8.001, 1e9, Infinity].map((error) => of(error, 8));
    const { exact, bins, total } = histogramOf([...errors, of(1, 0)]);
    expect(total).toBe(8);
    expect(exact).toBe(1);
    expect(bins.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(bins[0]).toBe(1);
    expect(bins[FIRST_BEYOND - 1]).toBe(1);
    expect(bins[FIRST_BEYOND]).toBe(1);
    // Infinity, 1e9, and an error where none is allowed.
    expect(bins.at(-1)).toBe(3);
  });
});

describe("a report", () => {
  let run: Run;
  beforeAll(async () => {
    const halved = portOfSteps({
      smoothRow: (steps, input, row) => {
        const { loss, grad } = correct.smoothRow(steps, input, row);
        return { loss: loss / 2, grad };
      },
      hvp: () => {
        throw new Error("no such function");
      },
    });
    run = await runConformance(halved, loadVectors(), { dtypes: undefined, filter: /PaperFormula/ });
  });

  it("says which function fails, where and by how much, and what the port left out", () => {
    expect(run.passed).toBe(false);
    const status = run.groups.map((group) => [group.function, group.status]);
    expect(status.slice(0, 4)).toEqual([
      ["smooth_topk_loss", "fail"],
      ["topk_loss", "pass"],
      ["log_esp", "pass"],
      ["log_esp_hvp", "not offered"],
    ]);
    expect(run.failures.every(({ reason }) => /^loss\[0\] is .*, expected /.test(reason))).toBe(true);
    const table = reportTable(run);
    expect(table).toMatch(/^smooth_topk_loss +float64 +loss +30 +30 .* fail$/m);
    expect(table).toMatch(/^log_esp_hvp +float64 +16 +not offered$/m);
    expect(table).toMatch(/^FAIL: /m);
  });

  it("is a page of its own: nothing fetched, no scripts, names escaped, a panel a result", () => {
    const page = reportPage(run, 'python3 "<port>.py" & co');
    expect(page).toContain("python3 &quot;&lt;port&gt;.py&quot; &amp; co");
    expect(page).not.toMatch(/<script|src=|href=|url\(|@import/);
    const panels = run.groups.filter(({ status }) => status !== "not offered").flatMap(({ results }) => results);
    expect(page.match(/<svg /g)?.length).toBe(panels.length);
    expect(page).toContain(`${run.failures.length} failed`);
  });
});
