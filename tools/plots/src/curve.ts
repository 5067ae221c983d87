/**
 * Curves of one panel and their legend, in words of the curves' colours.
 */
import * as Plot from "@observablehq/plot";

export interface Curve {
  /** Its entry in the legend; curves of one name have one entry, '' none. */
  readonly name: string;
  readonly colour: string;
  readonly dash?: string;
  /** A sign for the legend, if the curve is drawn as dots. */
  readonly sign?: string;
  readonly width?: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** `count` numbers from `from` to `to`, both included. */
export function evenly(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

export function points(xs: readonly number[], f: (x: number) => number): [number, number][] {
  return xs.map((x) => [x, f(x)]);
}

export function lines(curves: readonly Curve[]): Plot.Markish[] {
  return curves.map(({ points: data, colour, dash, width = 2 }) =>
    Plot.line(data, {
      stroke: colour,
      strokeWidth: width,
      ...(dash === undefined ? {} : { strokeDasharray: dash }),
      clip: true,
    }),
  );
}

type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

/** @param dy  pixels from the corner, downwards or upwards by what corner it is. */
export function legend(curves: readonly Curve[], corner: Corner, dy = 8): Plot.Markish[] {
  const entries = curves.filter(({ name }, at) => name !== "" && curves.findIndex((c) => c.name === name) === at);
  const [side, right] = [corner.startsWith("top") ? 1 : -1, corner.endsWith("right")];
  const ordered = side === 1 ? entries : entries.toReversed();
  return ordered.map(({ name, colour, dash, sign = dash === undefined ? "—" : "- -" }, at) =>
    Plot.text([`${sign} ${name}`], {
      frameAnchor: corner,
      dx: right ? -8 : 10,
      dy: side * (dy + 16 * at),
      fill: colour,
      fontWeight: 600,
      stroke: "white",
      strokeWidth: 4,
    }),
  );
}
