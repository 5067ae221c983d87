/**
 * The upper bound on the top-k error, scaled by tau log(1 + exp(alpha / tau) / k).
 */
import * as Plot from "@observablehq/plot";
import { smoothTopkLoss } from "@smooth-topk/loss";
import { type Curve, evenly, legend, lines, points } from "./curve.ts";
import { BLACK, COLOURS, figure, GREY } from "./figure.ts";

const k = 3;
const FAR = -300;

/** Other classes with s_[k] = 0. */
const FAMILIES = [
  { name: "k classes tied, the others far below", colour: COLOURS[0], others: [0, 0, 0, FAR, FAR, FAR] },
  { name: "evenly spread", colour: COLOURS[2], others: [2, 1, 0, -1, -2, -3] },
  { name: "all tied", colour: COLOURS[1], others: [0, 0, 0, 0, 0, 0] },
];

function panel(tau: number): { heading: string } & Plot.PlotOptions {
  const scale = tau * Math.log1p(Math.exp(1 / tau) / k);
  const gaps = evenly(-6, 6, 241);
  const curves: Curve[] = [
    ...FAMILIES.map(({ name, colour, others }) => ({
      name,
      colour,
      points: points(gaps, (gap) => smoothTopkLoss([gap, ...others], 0, { k, tau }) / scale),
    })),
    {
      name: "top-k error",
      colour: BLACK,
      dash: "5,4",
      points: [
        [-6, 1],
        [0, 1],
        [0, 0],
        [6, 0],
      ],
    },
  ];
  return {
    heading: `Loss over its scale, τ = ${tau} (n = 7, k = ${k}, α = 1)`,
    x: { label: "score of the label − s[k]" },
    y: { label: "loss / Λ, and the top-k error", domain: [0, 5], ticks: 5 },
    marks: [Plot.ruleY([0], { stroke: GREY }), ...lines(curves), ...legend(curves, "top-right")],
  };
}

export function upperBound(): string {
  return figure(
    "The loss divided by its scale is above the top-k error, which is 1 where the label's score is below the k-th largest of the others and 0 elsewhere; with k tied classes and no others near it touches the error's corner.",
    [panel(1), panel(0.25)],
  );
}
