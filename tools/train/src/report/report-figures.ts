/**
 * The figures of report.html.
 */
import type { Run } from "../experiment/journal.ts";
import { type ChartOptions, escapeText, lineChart, type Series, yExtent } from "./line-chart.ts";
import { LOSSES, type LossName } from "../training/trained-loss.ts";
import { lossTitle, percent } from "./percent.ts";
import type { ReferenceTable } from "./reference-table.ts";
import { type Results, type Summary, temperatureEffects } from "./summary.ts";

type Which = "top1" | "topk";

const MARKERS: Readonly<Record<LossName, Series["marker"]>> = {
  "cross-entropy": "square",
  "smooth-topk": "circle",
  topk: "triangle",
};
const yFormat = (value: number): string => `${percent(value, 0)} %`;

function accuracyTitle(which: Which, k: number): string {
  return which === "top1" ? "Top-1 accuracy" : `Top-${k} accuracy`;
}

function section(title: string, caption: string, content: string): string {
  return `<section><h2>${escapeText(title)}</h2><p class="caption">${escapeText(caption)}</p>${content}</section>`;
}

function panels(charts: readonly string[]): string {
  return `<div class="panels">${charts.join("")}</div>`;
}

/** A line for each loss along an axis. */
function alongAxis(cells: readonly Summary[], axis: "noise" | "fraction", which: Which, k: number): Series[] {
  const losses = [...new Set(cells.map(({ loss }) => loss))];
  return losses.map((loss) => ({
    name: lossTitle(loss, k),
    ink: loss,
    marker: MARKERS[loss],
    points: cells
      .filter((cell) => cell.loss === loss)
      .map((cell) => ({ x: cell[axis], y: cell[which].mean, error: cell[which].standardError }))
      .toSorted((a, b) => a.x - b.x),
  }));
}

/** What the user brought to compare with. */
function referencePanels({ title, source, k, rows }: ReferenceTable): string {
  const losses = LOSSES.filter((loss) => rows.some((row) => row.loss === loss));
  const of = (which: Which): Series[] =>
    losses.map((loss) => ({
      name: lossTitle(loss, k),
      ink: loss,
      marker: MARKERS[loss],
      points: rows
        .filter((row) => row.loss === loss)
        .map((row) => ({ x: row.noise, y: row[which] }))
        .toSorted((a, b) => a.x - b.x),
    }));
  const charts = (["topk", "top1"] as const).map((which) =>
    chart(of(which), {
      title: accuracyTitle(which, k),
      xLabel: "label noise",
      x: "linear",
      xTicks: [...new Set(rows.map(({ noise }) => noise))].toSorted((a, b) => a - b),
    }),
  );
  return `<h3>For comparison: ${escapeText(title)}</h3>${panels(charts)}<p>Source: ${escapeText(source)}</p>`;
}

function chart(series: readonly Series[], options: Omit<ChartOptions, "yFormat" | "description">): string {
  const [low, high] = yExtent(series);
  const description = `${options.title}: ${series.map(({ name }) => name).join(", ")} along ${options.xLabel}`;
  const pad = 0.06 * Math.max(high - low, 0.02);
  return lineChart(
    { ...options, description, yFormat, yDomain: [Math.max(0, low - pad), Math.min(1, high + pad)] },
    series,
  );
}

/** Accuracy against noise, beside a table from elsewhere where the user names one. */
export function noiseFigure({ identity, summary }: Results, reference?: ReferenceTable): string {
  const { k, data } = identity;
  const fraction = Math.max(...summary.map((cell) => cell.fraction));
  const cells = summary.filter((cell) => cell.fraction === fraction);
  const noises = [...new Set(cells.map(({ noise }) => noise))];
  if (noises.length < 2) return "";
  const axis = { xLabel: "label noise", x: "linear" as const };
  const ours = (["topk", "top1"] as const).map((which) =>
    chart(alongAxis(cells, "noise", which, k), { ...axis, title: accuracyTitle(which, k), xTicks: noises }),
  );
  return section(
    "Accuracy against label noise",
    "A label is drawn again within its super-class with the probability on the axis. The paper's claim: the smooth loss degrades less than cross-entropy.",
    `<h3>Here: ${escapeText(data)}${fraction === 1 ? "" : `, ${percent(fraction, 0)} % of the training samples`}</h3>${panels(ours)}` +
      (reference === undefined ? "" : referencePanels(reference)),
  );
}

/** Accuracy against the size of the training set, a row of panels for the lowest noise and one for the highest. */
export function fractionFigure({ identity, summary }: Results): string {
  const { k } = identity;
  const noises = [...new Set(summary.map(({ noise }) => noise))].filter(
    (noise) => new Set(summary.filter((cell) => cell.noise === noise).map(({ fraction }) => fraction)).size > 1,
  );
  if (noises.length === 0) return "";
  const shown = [...new Set([Math.min(...noises), Math.max(...noises)])];
  const rows = shown.map((noise) => {
    const cells = summary.filter((cell) => cell.noise === noise);
    const xTicks = [...new Set(cells.map(({ fraction }) => fraction))];
    const charts = (["topk", "top1"] as const).map((which) =>
      chart(alongAxis(cells, "fraction", which, k), {
        title: accuracyTitle(which, k),
        xLabel: "fraction of the training samples",
        x: "log",
        xTicks,
      }),
    );
    return `<h3>Noise ${noise}</h3>${panels(charts)}`;
  });
  return section(
    "Accuracy against training size",
    "Each fraction is part of the larger ones; validation and test are the same. The paper's claim: the less data, the more the smooth loss gains.",
    rows.join(""),
  );
}

/** Test accuracy of the smooth loss along its temperatures. */
export function temperatureFigure({ identity, runs, summary }: Results): string {
  const { k, taus, learningRates } = identity;
  const fraction = Math.max(...summary.map((cell) => cell.fraction));
  const effects = temperatureEffects(runs, learningRates.length).filter((effect) => effect.fraction === fraction);
  if (taus.length < 2 || effects.length === 0) return "";
  const noises = [...new Set(effects.map(({ noise }) => noise))].toSorted((a, b) => a - b);
  const ink = (i: number): string => `n${noises.length === 1 ? 0 : Math.round((5 * i) / (noises.length - 1))}`;
  const series = (which: Which): Series[] =>
    noises.map((noise, i) => ({
      name: `noise ${noise}`,
      ink: ink(i),
      marker: "circle",
      points: effects
        .filter((effect) => effect.noise === noise)
        .map((effect) => ({ x: effect.tau, y: effect[which].mean, error: effect[which].standardError }))
        .toSorted((a, b) => a.x - b.x),
    }));
  const legend = noises.map((noise, i) => `<li class="${ink(i)}"><span class="swatch"></span>noise ${noise}</li>`);
  const charts = (["topk", "top1"] as const).map((which) =>
    chart(series(which), {
      title: `${accuracyTitle(which, k)}, smooth loss`,
      xLabel: "temperature tau",
      x: "log",
      xTicks: taus,
    }),
  );
  return section(
    "The effect of the temperature",
    "The smooth loss at each temperature, its learning rate chosen on validation. Towards 0 it becomes the hard loss, whose gradient has two entries.",
    `<ul class="legend inline">${legend.join("")}</ul>${panels(charts)}`,
  );
}

/** Validation accuracy after each epoch of the chosen runs, at the lowest, a middle and the highest noise. */
export function learningFigure({ identity, summary }: Results): string {
  const { k } = identity;
  const fraction = Math.max(...summary.map((cell) => cell.fraction));
  const cells = summary.filter((cell) => cell.fraction === fraction);
  const noises = [...new Set(cells.map(({ noise }) => noise))].toSorted((a, b) => a - b);
  const shown = [...new Set([noises[0], noises[Math.floor(noises.length / 2)], noises[noises.length - 1]])];
  const of = (noise: number, read: (run: Run) => readonly number[]): Series[] =>
    cells
      .filter((cell) => cell.noise === noise)
      .map(({ loss, chosen }) => ({
        name: lossTitle(loss, k),
        ink: loss,
        marker: "none",
        points: meanCurve(chosen.filter(({ diverged }) => !diverged).map(read)),
      }));
  const charts = shown.map((noise) =>
    chart(
      of(noise, ({ curves }) => curves.topk),
      { title: `Validation top-${k}, noise ${noise}`, xLabel: "epoch", x: "linear" },
    ),
  );
  return section(
    "Learning curves",
    "Of the runs that validation chose, mean over the seeds. Validation has true labels. The learning rate falls at half and at three quarters.",
    panels(charts),
  );
}

function meanCurve(curves: readonly (readonly number[])[]): { x: number; y: number }[] {
  if (curves.length === 0) return [];
  return curves[0].map((_, epoch) => ({
    x: epoch + 1,
    y: curves.reduce((sum, curve) => sum + curve[epoch], 0) / curves.length,
  }));
}
