/**
 * Where the loss is convex: where the Hessian of the log-ratio of the other classes is positive semi-definite.
 */
import * as Plot from "@observablehq/plot";
import { logEspHvp } from "@smooth-topk/esym";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { type Curve, evenly, legend, lines, points } from "./curve.ts";
import { COLOURS, figure, GREY } from "./figure.ts";

const M = 10;

/** Close to 0 the levels are closer. */
const LEVELS = [-0.5, -0.4, -0.3, -0.2, -0.1, -0.05, -0.02, -0.01, 0, 0.01, 0.02, 0.05];

/** Smallest eigenvalue of the Hessian of log sigma_k - log sigma_{k-1} over directions of sum 0 (1 has eigenvalue 0). */
function smallestEigenvalue(x: readonly number[], k: number): number {
  const { length: m } = x;
  const units = Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_unused, l) => (l === i ? 1 : 0)));
  const rows = units.map(() => x);
  const [upper, lower] = [logEspHvp(rows, k, units), logEspHvp(rows, k - 1, units)];
  // Adding the projection on 1 moves its eigenvalue from 0 to 1, above all others (they are at most 1/2).
  const shifted = units.map((row, i) => row.map((_, l) => upper.get(i, l) - lower.get(i, l) + 1 / m));
  return Math.min(...new EigenvalueDecomposition(new Matrix(shifted), { assumeSymmetric: true }).realEigenvalues);
}

function byHeight(): Curve[] {
  return [1, 2, 3, 5].map((k, at) => ({
    name: `k = ${k}`,
    colour: COLOURS[at],
    points: points(evenly(-4, 6, 201), (t) => smallestEigenvalue([t, ...Array.from({ length: M - 1 }, () => 0)], k)),
  }));
}

export function convexity(): string {
  const curves = byHeight();
  const k = 2;
  const grid = evenly(-4, 6, 61);
  const cells = grid.flatMap((a) =>
    grid.map((b) => ({ a, b, value: smallestEigenvalue([a, b, ...Array.from({ length: M - 2 }, () => 0)], k) })),
  );
  return figure(
    "Left: smallest eigenvalue of the Hessian of the log-ratio as one of ten other classes rises above the rest; positive for k = 1, and negative for larger k once the class stands out. Right: the region where the loss is convex at k = 2 in the plane of two classes.",
    [
      {
        heading: "One class at height x, nine at 0",
        x: { label: "x = (score of the class − score of the nine) / kτ" },
        y: { label: "smallest eigenvalue", domain: [-0.1, 0.12], ticks: 5 },
        marks: [Plot.ruleY([0], { stroke: GREY }), ...lines(curves), ...legend(curves, "bottom-left")],
      },
      {
        heading: "k = 2, two classes moved, eight at 0",
        x: { label: "first class, over kτ" },
        y: { label: "second class, over kτ" },
        color: { type: "diverging-symlog", constant: 0.02, domain: [-0.5, 0.5], scheme: "PuOr" },
        marks: [
          Plot.contour(cells, { x: "a", y: "b", fill: "value", thresholds: LEVELS, interpolate: "barycentric" }),
          Plot.contour(cells, {
            x: "a",
            y: "b",
            value: "value",
            stroke: "black",
            strokeWidth: 1.5,
            thresholds: [0],
            interpolate: "barycentric",
          }),
          Plot.text(
            [
              [-2, 0.6],
              [4, 4.6],
            ],
            { text: ["convex", "not convex"], fontWeight: 600, fontSize: 13, stroke: "white", fill: "black" },
          ),
        ],
      },
    ],
  );
}
