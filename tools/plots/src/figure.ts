/**
 * A plot as a standalone SVG file: a title, panels two in a row on a light ground (so that it reads the same on white and
 * on dark pages), numbers rounded to a hundredth of a pixel, the same text on every machine.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Colours that stay apart for colour-blind readers (Okabe and Ito), the hard loss and other limits in black. */
export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"] as const;
export const BLACK = "#222222";
export const GREY = "#8a8a8a";

const INK = "#222222";
const GROUND = "#ffffff";
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

export interface Panel extends Plot.PlotOptions {
  /** One line above the panel. */
  readonly heading: string;
}

const PANEL_WIDTH = 440;
const PANEL_HEIGHT = 320;
const HEADING = 30;
const ROW_GAP = 14;
const PADDING = 12;

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/**
 * @param description  what is to be seen, for those who do not see it.
 * @returns the text of an SVG file.
 */
export function figure(description: string, panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / 2);
  const width = Math.min(panels.length, 2) * PANEL_WIDTH + 2 * PADDING;
  const height = rows * (PANEL_HEIGHT + HEADING + ROW_GAP) - ROW_GAP + 2 * PADDING;
  const body = panels.map((panel, at) => {
    const left = PADDING + (at % 2) * PANEL_WIDTH;
    const top = PADDING + Math.floor(at / 2) * (PANEL_HEIGHT + HEADING + ROW_GAP);
    const { heading, ...options } = panel;
    const plot = Plot.plot({
      width: PANEL_WIDTH,
      height: PANEL_HEIGHT,
      marginLeft: 54,
      marginRight: 16,
      marginTop: 24,
      marginBottom: 42,
      ...options,
      document,
      className: "plot",
    });
    plot.setAttribute("x", String(left));
    plot.setAttribute("y", String(top + HEADING));
    const title = `<text x="${left + 8}" y="${top + 18}" font-size="14" font-weight="600">${escape(heading)}</text>`;
    return `${title}\n${standalone(plot.outerHTML, at)}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${FONT}" fill="${INK}" color="${INK}">
<title>${escape(description)}</title>
<rect width="${width}" height="${height}" rx="6" fill="${GROUND}"/>
${body.join("\n")}
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Plot styles for a page and numbers what it clips by the process: fonts, colours and names are the file's own here. */
function standalone(svg: string, panel: number): string {
  return svg
    .replaceAll(/<style>.*?<\/style>/gs, "")
    .replace(/ font-family="[^"]*"/, "")
    .replace(/ font-size="10"/, ' font-size="12"')
    .replaceAll("var(--plot-background)", GROUND)
    .replaceAll(/plot-clip-\d+/g, `panel-${panel}`)
    .replaceAll(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100))
    .replaceAll(/(<\/g>|<\/path>|\/>)(?=<)/g, "$1\n");
}
