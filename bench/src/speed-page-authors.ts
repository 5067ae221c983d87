/**
 * The section of docs/speed.md on the authors' code, and how the page writes numbers and dates.
 */
import type { AuthorsResult } from "./speed-authors.ts";
import type { Measured } from "./speed-results.ts";

/** Three digits. */
export function number(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** When and where a section was measured. */
export function when({ date, machine, processes }: Measured<unknown>): string {
  const { cpu, cores, platform, node } = machine;
  return `Measured on ${date}: ${cpu}, ${cores} cores, ${platform}, Node ${node}, ${processes} processes.`;
}

export function authorsTables(measured: Measured<AuthorsResult> | undefined, skipped: string | null): string {
  if (measured === undefined) return `Skipped: ${skipped ?? "not measured yet"}. There are no recorded figures.`;
  const { result } = measured;
  const lines = [];
  if (skipped !== null) lines.push(`Skipped in the last run: ${skipped}. These are the last recorded figures.`, "");
  lines.push(
    when(measured),
    "",
    `PyTorch ${result.torch}, Python ${result.python}, one thread. Batch 256, n = 1000, k = 5, tau = 1, loss and gradient, milliseconds a`,
    "batch. Processes of both sides take turns; ratio: theirs to ours, median over the pairs, in brackets the lowest and the highest.",
    "",
    "| loss | precision | PyTorch | ours | ratio |",
    "| --- | --- | ---: | ---: | --- |",
  );
  for (const { loss, dtype, theirs, ours, ratio, lowestRatio, highestRatio } of result.timings) {
    const code = loss === "smooth top-k" ? "smooth top-k, the authors'" : "cross-entropy, PyTorch's own";
    lines.push(
      `| ${code} | ${dtype} | ${number(theirs)} | ${number(ours)} | ${number(ratio)} (${number(lowestRatio)} to ${number(highestRatio)}) |`,
    );
  }
  lines.push(
    "",
    "How far the authors' gradient in double precision is from ours, on the same batch (normal scores of scale 1), by entries of at least",
    "1e-280; ours is judged against the oracle in [accuracy.md](accuracy.md). Large entries: at least a millionth of the row's largest.",
    "",
    "| tau | worst relative difference | the same, large entries | zeros where ours is not | not finite | rows given to the hard loss | relative difference of the loss |",
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const gap of result.gradients) {
    lines.push(
      `| ${gap.tau} | ${number(gap.worst)} | ${number(gap.worstOfLarge)} | ${gap.zeros} of ${gap.entries} | ${gap.notFinite} | ` +
        `${gap.hardRows} of 256 | ${number(gap.lossDifference)} |`,
    );
  }
  return lines.join("\n");
}
