/**
 * The limit tau -> 0, and how far the loss is from it: -tau log k <= L - l_k <= tau log(n - k + 1).
 */
import * as Plot from "@observablehq/plot";
import { smoothTopkLoss, topkLoss } from "@smooth-topk/loss";
import { type Curve, evenly, legend, lines, points } from "./curve.ts";
import { BLACK, COLOURS, figure, GREY } from "./figure.ts";

const k = 3;
const OTHERS = [2, 1.4, 1, 0.6, 0.2, 0, -0.4, -0.8, -1.5];
const N = OTHERS.length + 1;
const TEMPERATURES = [2, 1, 0.5, 0.1];

function limit(): Curve[] {
  const scores = evenly(-4, 8, 241);
  return [
    ...TEMPERATURES.map((tau, at) => ({
      name: `τ = ${tau}`,
      colour: COLOURS[at],
      points: points(scores, (s) => smoothTopkLoss([s, ...OTHERS], 0, { k, tau })),
    })),
    {
      name: "hard loss, τ → 0",
      colour: BLACK,
      dash: "5,4",
      points: points(scores, (s) => topkLoss([s, ...OTHERS], 0, { k })),
    },
  ];
}

/** (L - l_k) / tau against M / tau, at tau = 1: other temperatures scale both alike. */
function distance(others: readonly number[]): [number, number][] {
  const kth = others.toSorted((a, b) => b - a)[k - 1];
  return points(evenly(-8, 8, 161), (margin) => {
    const s = [kth + k * (1 - margin), ...others];
    return smoothTopkLoss(s, 0, { k, tau: 1 }) - topkLoss(s, 0, { k });
  });
}

function distances(): Curve[] {
  const far = 300;
  return [
    {
      name: "k − 1 classes far above, the others tied",
      colour: COLOURS[1],
      points: distance([far, far, 0, 0, 0, 0, 0, 0, 0]),
    },
    ...[0.5, 2, 6].map((scale) => ({
      name: "the scores on the left, times ½, 2, 6",
      colour: GREY,
      width: 1.25,
      points: distance(OTHERS.map((v) => scale * v)),
    })),
    {
      name: "k classes tied, the others far below",
      colour: COLOURS[0],
      points: distance([0, 0, 0, -far, -far, -far, -far, -far, -far]),
    },
  ];
}

export function temperature(): string {
  const losses = limit();
  const away = distances();
  const [upper, lower] = [Math.log(N - k + 1), -Math.log(k)];
  return figure(
    "Left: the smooth loss against the label's score at temperatures 2, 1, 0.5 and 0.1 tends to the hard loss. Right: their difference over tau lies between minus log k and log(n - k + 1), and both ends are reached.",
    [
      {
        heading: `The loss as τ → 0 (n = ${N}, k = ${k}, α = 1)`,
        x: { label: "score of the label" },
        y: { label: "loss", domain: [0, 4.5], ticks: 5 },
        marks: [Plot.ruleY([0], { stroke: GREY }), ...lines(losses), ...legend(losses, "top-right")],
      },
      {
        heading: "Distance to the hard loss, over τ",
        x: { label: "M / τ, where M = α + (s[k] − s of the label) / k" },
        y: { label: "(L − l) / τ", domain: [-1.7, 3.4], ticks: 5 },
        marks: [
          Plot.ruleY([0], { stroke: GREY }),
          Plot.ruleY([upper, lower], { stroke: BLACK, strokeDasharray: "2,3" }),
          Plot.text([[-8, upper]], { text: ["log(n − k + 1)"], textAnchor: "start", dy: -8 }),
          Plot.text([[-8, lower]], { text: ["− log k"], textAnchor: "start", dy: 10 }),
          ...lines(away),
          ...legend(away, "top-right", 0),
        ],
      },
    ],
  );
}
