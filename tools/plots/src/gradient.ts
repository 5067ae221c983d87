/**
 * The gradient is not sparse: every class has a part, largest about s_[k]; the hard loss moves one class and the label.
 */
import * as Plot from "@observablehq/plot";
import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { type Curve, evenly, legend, lines } from "./curve.ts";
import { BLACK, COLOURS, figure, GREY } from "./figure.ts";

const k = 5;
const N = 40;
const TEMPERATURES = [1, 0.2, 0.05, 0.01];
/** Distinct scores with uneven gaps; the label is the last class, out of sight. */
const OTHERS = evenly(3, -3, N - 1).map((v, i) => v + 0.05 * Math.sin(5 * i));

export function gradient(): string {
  const curves: Curve[] = TEMPERATURES.map((tau, at) => {
    const { grad } = smoothTopkLossValueAndGrad([...OTHERS, -1], N - 1, { k, tau });
    return { name: `τ = ${tau}`, colour: COLOURS[at], width: 1, points: OTHERS.map((s, i) => [s, grad.get(i)]) };
  });
  const hard: Curve = { name: "hard loss: one class", sign: "□", colour: BLACK, points: [[OTHERS[k - 1], 1 / k]] };
  const marks = (floor: number) => [
    Plot.ruleX([OTHERS[k - 1]], { stroke: GREY, strokeDasharray: "2,3" }),
    ...lines(curves),
    ...curves.map(({ points, colour }) =>
      Plot.dot(points, { fill: colour, r: 2.5, filter: (d: number[]) => d[1] >= floor }),
    ),
    Plot.dot(hard.points, { stroke: BLACK, strokeWidth: 2, r: 5, symbol: "square" }),
  ];
  const x = { label: "score of the class (dashed: s[k])" };
  return figure(
    "Gradient entries of the classes besides the label against their scores. At every temperature all entries are positive; the colder, the more of the gradient is at the k-th largest score.",
    [
      {
        heading: `Gradient by class (n = ${N}, k = ${k}, α = 1)`,
        x,
        y: { label: "∂L / ∂s of the class", domain: [0, 0.21], ticks: 5 },
        marks: [Plot.ruleY([0], { stroke: GREY }), ...marks(0), ...legend([...curves, hard], "top-left")],
      },
      {
        heading: "The same on a logarithmic scale: nothing is 0",
        x,
        y: { label: "∂L / ∂s of the class", type: "log", domain: [1e-24, 1], tickFormat: exponent, ticks: 7 },
        marks: marks(1e-24),
      },
    ],
  );
}

function exponent(value: number): string {
  const power = String(Math.round(Math.log10(value)));
  return `10${power.replaceAll(/[-0-9]/g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)])}`;
}
