/**
 * The tables of docs/speed.md on the autodiff: products and convolutions against TensorFlow.js, the tape's overhead.
 */
import type { JoinedCase } from "./between-processes.ts";
import { number } from "./speed-page-authors.ts";

/** Milliseconds, and how much of TensorFlow.js's time they are. */
export function againstTheirs(cases: readonly JoinedCase[]): string {
  const lines = [
    "Milliseconds, in brackets the share of TensorFlow.js's time (processes: lowest to highest). TensorFlow.js 4 with its plain CPU",
    "backend (`@tensorflow/tfjs-backend-cpu`) computes in single precision; ours sums in doubles in both precisions.",
    "",
    "| size | pass | TensorFlow.js | float64 | float32 |",
    "| --- | --- | ---: | --- | --- |",
  ];
  for (const { parameters, timings } of cases) {
    const [theirs, ...ours] = timings;
    const cells = ours.map(({ ms, ratio, lowestRatio, highestRatio }) => {
      return `${number(ms)} (${number(ratio)}; ${number(lowestRatio)} to ${number(highestRatio)})`;
    });
    lines.push(`| ${parameters.size} | ${parameters.pass} | ${number(theirs.ms)} | ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

/** The overhead in percent. */
export function tape(cases: readonly JoinedCase[]): string {
  const lines = [
    "`valueAndGrad` of the fused loss as a primitive, against the fused call itself: batch 256, n = 1000, k = 5, tau = 1.",
    "",
    "| scores | fused call, ms | through the tape, ms | overhead | processes |",
    "| --- | ---: | ---: | ---: | --- |",
  ];
  for (const { parameters, timings } of cases) {
    const [direct, taped] = timings;
    const range = `${percent(taped.lowestRatio)} to ${percent(taped.highestRatio)}`;
    lines.push(
      `| ${parameters.dtype} | ${number(direct.ms)} | ${number(taped.ms)} | ${percent(taped.ratio)} | ${range} |`,
    );
  }
  return lines.join("\n");
}

export function percent(ratio: number): string {
  return `${(100 * (ratio - 1)).toFixed(1)} %`;
}

/** The largest share of TensorFlow.js's time in any case and precision, with its range over processes. */
export function worstShare(cases: readonly JoinedCase[]): { ratio: number; lowest: number; highest: number } {
  const ours = cases.flatMap(({ timings }) => timings.slice(1));
  const worst = ours.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  return { ratio: worst.ratio, lowest: worst.lowestRatio, highest: worst.highestRatio };
}
