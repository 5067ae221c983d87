/**
 * Derivatives of order 0 to 3 in the score of one class, where the hard loss has kinks and jumps.
 */
import { grad, hvp, mul, sum, type Tensor } from "@smooth-topk/grad";
import { topkLoss, topkLossValueAndGrad } from "@smooth-topk/loss";
import { smoothTopkLoss } from "@smooth-topk/loss/differentiable";
import * as Plot from "@observablehq/plot";
import ndarray, { type NdArray } from "ndarray";
import { type Curve, evenly, legend, lines, points } from "./curve.ts";
import { BLACK, COLOURS, figure, GREY, type Panel } from "./figure.ts";

const k = 3;
/** Of the label, of the class that moves, of the others. */
const LABEL = 0;
const FIXED = [3, 2, 1, 0, -0.5, -1, -1.5, -2];
const N = FIXED.length + 2;
const TEMPERATURES = [0.4, 0.2, 0.1];
const NAMES = ["Loss", "First derivative", "Second derivative", "Third derivative"];
const DOMAINS = [
  [1.2, 1.9],
  [-0.02, 0.36],
  [-0.35, 0.35],
  [-0.8, 0.5],
];

function scores(x: number): number[] {
  return [LABEL, x, ...FIXED];
}

/** The derivative of the given order in the second score. */
function derivative(order: number, tau: number): (x: number) => number {
  const unit = ndarray(
    Float64Array.from({ length: N }, (_, i) => (i === 1 ? 1 : 0)),
    [N],
  );
  const loss = (s: Tensor): Tensor => smoothTopkLoss(s, 0, { k, tau });
  const along = [
    loss,
    (s: Tensor) => sum(mul(grad(loss)(s), unit)),
    (s: Tensor) => sum(mul(hvp(loss, s, unit), unit)),
    grad((s: Tensor) => sum(mul(hvp(loss, s, unit), unit))),
  ][order];
  return (x) => {
    const found = along(ndarray(Float64Array.from(scores(x)), [N])) as NdArray;
    return found.shape.length === 0 ? found.get() : found.get(1);
  };
}

function panel(order: number): Panel {
  const xs = evenly(-1, 5, 241);
  const smooth: Curve[] = TEMPERATURES.map((tau, at) => ({
    name: `τ = ${tau}`,
    colour: COLOURS[at],
    points: points(xs, derivative(order, tau)),
  }));
  const hard: Curve[] = [
    (x: number) => topkLoss(scores(x), 0, { k }),
    (x: number) => topkLossValueAndGrad(scores(x), 0, { k }).grad.get(1),
  ].map((f) => ({ name: "hard loss", colour: BLACK, dash: "5,4", points: points(evenly(-1, 5, 1201), f) }));
  const curves = [...smooth, ...hard.slice(order, order + 1)];
  return {
    heading: `${NAMES[order]}${order === 0 ? ` (n = ${N}, k = ${k}, α = 1)` : ""}`,
    x: { label: "score of one class" },
    y: { label: order === 0 ? "L" : `order ${order}`, domain: DOMAINS[order], ticks: 5 },
    marks: [
      Plot.ruleY([0], { stroke: GREY }),
      ...lines(curves),
      ...(order === 0 ? legend(curves, "bottom-right") : []),
    ],
  };
}

export function derivatives(): string {
  return figure(
    "The loss and its derivatives of order 1, 2 and 3 in the score of one class at temperatures 0.4, 0.2 and 0.1: all are smooth curves, where the hard loss has two kinks and its derivative two jumps.",
    [0, 1, 2, 3].map(panel),
  );
}
