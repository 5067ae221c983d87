/**
 * The results on a terminal: a line for each noise and fraction and loss, means over the seeds with standard errors.
 */
import type { Results } from "./summary.ts";
import { lossTitle, percentGain, percentMean } from "./percent.ts";

/** Aligned lines, each with its end. */
export function resultTable({ identity, summary }: Pick<Results, "identity" | "summary">): string {
  const { k } = identity;
  const several = summary.some(({ seeds }) => seeds > 1);
  const heading = ["noise", "fraction", "loss", "top-1 %", `top-${k} %`, `top-${k} over cross-entropy`, "seeds"];
  const rows = summary.map(({ loss, noise, fraction, seeds, top1, topk, gain }) => [
    String(noise),
    String(fraction),
    lossTitle(loss, k),
    percentMean(top1),
    percentMean(topk),
    gain === null ? "" : percentGain(gain.topk),
    String(seeds),
  ]);
  const table = [heading, ...rows];
  const widths = heading.map((_, c) => Math.max(...table.map((row) => row[c].length)));
  const lines = table.map((row) =>
    row
      .map((cell, c) => (c >= 3 && c <= 5 ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd(),
  );
  const note = several ? "mean ± standard error over the seeds, on the test set\n" : "on the test set\n";
  return `${lines.join("\n")}\n${note}`;
}
