/**
 * An evaluation in words.
 */
import type { Evaluation, EvaluateOptions } from "./evaluate.ts";

const names = { "smooth-topk": "smooth top-k loss", topk: "hard top-k loss", "cross-entropy": "cross-entropy loss" };

function percent(fraction: number | null): string {
  return fraction === null ? "none" : `${(100 * fraction).toFixed(2)} %`;
}

function parameters({ loss, tau, alpha }: EvaluateOptions, k: number): string {
  if (loss === "cross-entropy") return "";
  return loss === "topk" ? ` (k = ${k}, alpha = ${alpha})` : ` (k = ${k}, tau = ${tau}, alpha = ${alpha})`;
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Aligned lines: a label, a number, and what it is. */
export function report(options: EvaluateOptions, result: Evaluation): string {
  const { k, reduction, loss: which } = options;
  const accuracies = list(result.topk);
  const losses =
    reduction === "none"
      ? []
      : list(result.loss)
          // The loss without a k is one, however many accuracies there are.
          .slice(0, which === "cross-entropy" ? 1 : undefined)
          .map((loss, i): [string, string, string] => [
            "loss",
            loss === null ? "none" : String(loss),
            `${reduction} ${names[which]}${parameters(options, k[i])}`,
          ]);
  const lines: [string, string, string][] = [
    ...losses,
    ["top-1 accuracy", percent(result.top1), "samples whose label has the best score"],
    ...k
      .map((one, i) => ({ one, accuracy: accuracies[i] }))
      .filter(({ one }) => one !== 1 || k.length === 1)
      .map(({ one, accuracy }): [string, string, string] => [
        `top-${one} accuracy`,
        percent(accuracy),
        `samples whose label is among the ${one} best scores`,
      ]),
    [
      "samples",
      String(result.batch),
      `of ${result.n} classes each, in ${result.seconds.toFixed(2)} s on ${result.backend}`,
    ],
  ];
  if (result.ignored !== undefined) {
    lines.push(["ignored", String(result.ignored), `of them, with label ${options.ignoreIndex}`]);
  }
  if (options.grad !== undefined) {
    const of = reduction === "none" ? "each sample's loss" : `the ${reduction} loss`;
    lines.push(["gradient", options.grad, `of ${of} in every score, shape (${result.batch}, ${result.n})`]);
  }
  if (options.perSample !== undefined)
    lines.push(["per sample", options.perSample, `one loss per sample, shape (${result.batch},)`]);
  const widths = [0, 1].map((c) => Math.max(...lines.map((line) => line[c].length)));
  return lines.map(([a, b, c]) => `${a.padEnd(widths[0])}  ${b.padEnd(widths[1])}  ${c}\n`).join("");
}
