/**
 * The cross-entropy is the case k = 1, tau = 1, alpha = 0; with more guesses the same scores cost less.
 */
import * as Plot from "@observablehq/plot";
import { crossEntropy, smoothTopkLoss } from "@smooth-topk/loss";
import { COLOURS, BLACK, figure, GREY } from "./figure.ts";
import { type Curve, evenly, legend, lines, points } from "./curve.ts";

const OTHERS = [2, 1.4, 1, 0.6, 0.2, 0, -0.4, -0.8, -1.5];
const ORDERS = [1, 2, 3, 5];

/** Losses against the label's score, the scores multiplied by k so that all have the slope of the cross-entropy. */
function panel(
  heading: string,
  tau: number,
  alpha: number,
  domain: [number, number],
): { heading: string } & Plot.PlotOptions {
  const scores = evenly(-4, 8, 241);
  const curves: Curve[] = ORDERS.map((k, at) => ({
    name: `k = ${k}`,
    colour: COLOURS[at],
    points: points(scores, (s) =>
      smoothTopkLoss(
        [s, ...OTHERS].map((v) => k * v),
        0,
        { k, tau, alpha },
      ),
    ),
  }));
  const reference = points(evenly(-4, 8, 25), (s) => crossEntropy([s, ...OTHERS], 0));
  const dots: Curve = { name: "cross-entropy", sign: "○", colour: BLACK, points: reference };
  return {
    heading,
    x: { label: "score of the label" },
    y: { label: "loss at k times the scores", domain },
    marks: [
      Plot.ruleY([0], { stroke: GREY }),
      ...lines(curves),
      Plot.dot(reference, { stroke: BLACK, r: 3, clip: true }),
      ...legend([...curves, dots], "top-right"),
    ],
  };
}

export function crossEntropyCase(): string {
  return figure(
    "Losses for k = 1, 2, 3 and 5 against the label's score; at tau = 1 and alpha = 0 the curve of k = 1 is that of the cross-entropy.",
    [
      panel("τ = 1, α = 0: k = 1 is the cross-entropy", 1, 0, [0, 7]),
      panel("τ = 0.2, α = 1: a margin", 0.2, 1, [0, 7]),
    ],
  );
}
