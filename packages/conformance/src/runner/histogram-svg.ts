/** A histogram of errors as an SVG: exact values at the left, then fractions of the bound, what is beyond it in red. */
import { BINS_A_DECADE, FIRST_BEYOND, HIGHEST_DECADE, type Histogram, LOWEST_DECADE } from "./error-histogram.ts";

const WIDTH = 360;
const HEIGHT = 110;
const LEFT = 8;
const TOP = 16;
const BASE = 88;
const EXACT_WIDTH = 26;
const GAP = 16;
const PLOT_LEFT: number = LEFT + EXACT_WIDTH + GAP;

const labels: readonly (readonly [decade: number, text: string])[] = [
  [-3, "1/1000"],
  [-2, "1/100"],
  [-1, "1/10"],
  [0, "bound"],
  [1, "10 ×"],
  [2, "100 ×"],
];

export function histogramSvg({ exact, bins, total }: Histogram, label: string): string {
  const most = Math.max(exact, ...bins, 1);
  const binWidth = (WIDTH - PLOT_LEFT - 18) / bins.length;
  const x = (bin: number): number => PLOT_LEFT + bin * binWidth;
  const share = (count: number): string => `${count} of ${total} values (${((100 * count) / total).toFixed(1)} %)`;
  const bar = (left: number, width: number, count: number, kind: string, what: string): string => {
    if (count === 0) return "";
    const height = Math.max(1.5, ((BASE - TOP) * count) / most);
    return `<rect class="${kind}" x="${left.toFixed(1)}" y="${(BASE - height).toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" rx="1"><title>${what}: ${share(count)}</title></rect>`;
  };
  const ends = (bin: number): string => {
    const at = (b: number): string => (10 ** (LOWEST_DECADE + b / BINS_A_DECADE)).toPrecision(2);
    return `${at(bin)} to ${at(bin + 1)} of the bound`;
  };
  const bars = bins.map((count, bin) =>
    bar(x(bin) + 0.75, binWidth - 1.5, count, bin < FIRST_BEYOND ? "within" : "beyond", ends(bin)),
  );
  const decadeAt = (decade: number): number => x((decade - LOWEST_DECADE) * BINS_A_DECADE);
  const ticks = labels.map(
    ([decade, text]) =>
      `<line class="tick" x1="${decadeAt(decade).toFixed(1)}" x2="${decadeAt(decade).toFixed(1)}" y1="${BASE}" y2="${BASE + 4}"/>` +
      `<text x="${decadeAt(decade).toFixed(1)}" y="${BASE + 16}" text-anchor="middle">${text}</text>`,
  );
  const bound = decadeAt(0).toFixed(1);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">`,
    `<rect class="zone" x="${bound}" y="${TOP - 6}" width="${(decadeAt(HIGHEST_DECADE) - decadeAt(0)).toFixed(1)}" height="${BASE - TOP + 6}"/>`,
    `<line class="axis" x1="${LEFT}" x2="${LEFT + EXACT_WIDTH}" y1="${BASE}" y2="${BASE}"/>`,
    `<line class="axis" x1="${PLOT_LEFT}" x2="${decadeAt(HIGHEST_DECADE).toFixed(1)}" y1="${BASE}" y2="${BASE}"/>`,
    bar(LEFT, EXACT_WIDTH, exact, "exact", "exact"),
    `<text x="${LEFT + EXACT_WIDTH / 2}" y="${BASE + 16}" text-anchor="middle">exact</text>`,
    ...bars,
    `<line class="bound" x1="${bound}" x2="${bound}" y1="${TOP - 6}" y2="${BASE}"/>`,
    ...ticks,
    "</svg>",
  ].join("");
}
