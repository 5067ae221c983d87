/**
 * An evaluation in words.
 */
import type { Evaluation, EvaluateOptions } from "./evaluate.ts";

const names = { "smooth-topk": "smooth top-k loss", topk: "hard top-k loss", "cross-entropy": "cross-entropy loss" };

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

function parameters({ loss, k, tau, alpha }: EvaluateOptions): string {
  if (loss === "cross-entropy") return "";
  return loss === "topk" ? ` (k = ${k}, alpha = ${alpha})` : ` (k = ${k}, tau = ${tau}, alpha = ${alpha})`;
}

/** Aligned lines: a label, a number, and what it is. */
export function report(options: EvaluateOptions, result: Evaluation): string {
  const lines: [string, string, string][] = [
    ["loss", String(result.loss), `${options.reduction} ${names[options.loss]}${parameters(options)}`],
    ["top-1 accuracy", percent(result.top1), "samples whose label has the best score"],
    [`top-${result.k} accuracy`, percent(result.topk), `samples whose label is among the ${result.k} best scores`],
    [
      "samples",
      String(result.batch),
      `of ${result.n} classes each, in ${result.seconds.toFixed(2)} s on ${result.backend}`,
    ],
  ];
  if (options.grad !== undefined) {
    lines.push([
      "gradient",
      options.grad,
      `of the ${options.reduction} loss in every score, shape (${result.batch}, ${result.n})`,
    ]);
  }
  if (options.perSample !== undefined)
    lines.push(["per sample", options.perSample, `one loss a sample, shape (${result.batch},)`]);
  const widths = [0, 1].map((c) => Math.max(...lines.map((line) => line[c].length)));
  return lines.map(([a, b, c]) => `${a.padEnd(widths[0])}  ${b.padEnd(widths[1])}  ${c}\n`).join("");
}
