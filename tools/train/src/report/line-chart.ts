/**
 * A chart of lines with error bars, as SVG text. Colours are classes of the page, so that it is read in light and dark.
 */
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";

interface Point {
  readonly x: number;
  readonly y: number;
  /** Half the length of the error bar. */
  readonly error?: number | null;
}

export interface Series {
  readonly name: string;
  /** Class of the page that sets --ink. */
  readonly ink: string;
  readonly marker: "circle" | "square" | "triangle" | "none";
  readonly points: readonly Point[];
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  /** For screens that read aloud. */
  readonly description: string;
  readonly x: "linear" | "log";
  /** Where the axis has ticks; d3's choice if absent. */
  readonly xTicks?: readonly number[] | undefined;
  readonly yFormat: (value: number) => string;
  /** The same for charts that are compared. */
  readonly yDomain?: readonly [number, number] | undefined;
}

const WIDTH = 400;
const HEIGHT = 270;
const MARGIN = { top: 30, right: 14, bottom: 40, left: 48 };

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function range(values: readonly number[]): [number, number] {
  return values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
}

/** The lowest and the highest point of all series, error bars included. */
export function yExtent(series: readonly Series[]): [number, number] {
  return range(series.flatMap(({ points }) => points.flatMap(({ y, error }) => [y - (error ?? 0), y + (error ?? 0)])));
}

function scaleX(options: ChartOptions, series: readonly Series[]): { at: (x: number) => number; ticks: number[] } {
  const [low, high] = range(series.flatMap(({ points }) => points.map(({ x }) => x)));
  const pixels = [MARGIN.left, WIDTH - MARGIN.right];
  if (options.x === "log") {
    // A single value stands in the middle of a decade.
    const scale = scaleLog(low === high ? [low / 3, high * 3] : [low / 1.15, high * 1.15], pixels);
    return { at: (x) => scale(x), ticks: [...(options.xTicks ?? scale.ticks(4))] };
  }
  const pad = low === high ? 0.5 : 0.03 * (high - low);
  const scale = scaleLinear([low - pad, high + pad], pixels);
  return { at: (x) => scale(x), ticks: [...(options.xTicks ?? scale.ticks(6))] };
}

function markerOf(marker: Series["marker"], x: number, y: number): string {
  const at = `${x.toFixed(1)} ${y.toFixed(1)}`;
  switch (marker) {
    case "circle":
      return `<circle class="mark" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5"/>`;
    case "square":
      return `<path class="mark" d="M${at}m-3.2-3.2h6.4v6.4h-6.4z"/>`;
    case "triangle":
      return `<path class="mark" d="M${at}m0-4.4l4.2 7.2h-8.4z"/>`;
    case "none":
      return "";
  }
}

/** An SVG element; the page's style sheet draws grid, text, marks and bars. */
export function lineChart(options: ChartOptions, series: readonly Series[]): string {
  const x = scaleX(options, series);
  const [low, high] = options.yDomain ?? yExtent(series);
  const y = scaleLinear([low, high], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice(5);
  const bottom = HEIGHT - MARGIN.bottom;
  const grid = y
    .ticks(5)
    .map(
      (tick) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/>` +
        `<text class="tick" x="${MARGIN.left - 6}" y="${y(tick) + 3.5}" text-anchor="end">${options.yFormat(tick)}</text>`,
    )
    .join("");
  const ticks = x.ticks
    .map(
      (tick) =>
        `<line class="axis" x1="${x.at(tick)}" x2="${x.at(tick)}" y1="${bottom}" y2="${bottom + 4}"/>` +
        `<text class="tick" x="${x.at(tick)}" y="${bottom + 16}" text-anchor="middle">${Number(tick.toPrecision(4))}</text>`,
    )
    .join("");
  const path = line<Point>()
    .x((p) => x.at(p.x))
    .y((p) => y(p.y));
  const lines = series.map(({ name, ink, marker, points }) => {
    const bars = points
      .filter(({ error }) => error !== null && error !== undefined && error > 0)
      .map(({ x: px, y: py, error }) => {
        const [from, to, at] = [y(py - (error as number)), y(py + (error as number)), x.at(px)].map((v) =>
          v.toFixed(1),
        );
        return `<path class="bar" d="M${at} ${from}V${to}m-3 0h6M${at} ${from}m-3 0h6"/>`;
      });
    const marks = points.map(
      (p) => `<g>${markerOf(marker, x.at(p.x), y(p.y))}<title>${escapeText(tip(name, p, options))}</title></g>`,
    );
    return `<g class="series ${ink}"><path class="line" d="${path([...points]) ?? ""}"/>${bars.join("")}${marker === "none" ? "" : marks.join("")}</g>`;
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(options.description)}">` +
    `<text class="title" x="${MARGIN.left}" y="16">${escapeText(options.title)}</text>${grid}` +
    `<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${bottom}" y2="${bottom}"/>${ticks}` +
    `<text class="label" x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeText(options.xLabel)}</text>` +
    `${lines.join("")}</svg>`
  );
}

function tip(name: string, { x, y, error }: Point, { xLabel, yFormat }: ChartOptions): string {
  const spread = error === null || error === undefined ? "" : ` ± ${yFormat(error)}`;
  return `${name}, ${xLabel} ${Number(x.toPrecision(4))}: ${yFormat(y)}${spread}`;
}
