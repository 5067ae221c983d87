/**
 * The forward pass as k and n grow. All sizes take turns, so a ratio of two sizes is one of the same moments.
 */
import { smoothTopkLoss } from "@smooth-topk/loss";
import type { ProcessCase } from "./between-processes.ts";
import { type Effort, interleave, type Samples, summarise } from "./interleaved-timer.ts";
import { expectFormula } from "./same-work.ts";
import { scoreBatch } from "./score-batch.ts";

const ORDERS = [1, 2, 3, 5, 7, 10, 20, 30, 50, 75, 100, 125, 150, 175, 200];
const SIZES = [100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
/** Classes a call handles, so that no call is too short or holds more than one row of the longest. */
const CLASSES_A_CALL = 64_000;

/** One row's time at n = 1000 for each k. */
export function speedByOrder(effort: Effort): ProcessCase[] {
  const n = 1000;
  const batch = scoreBatch(CLASSES_A_CALL / n, n, "float64");
  const { scores, labels } = batch;
  for (const k of ORDERS) expectFormula(batch, k, 1, 1);
  const samples = interleave(
    ORDERS.map((k) => ({ name: String(k), run: () => void smoothTopkLoss(scores, labels, { k }) })),
    effort,
  );
  const rows = samples.map((sample) => perRow(sample, labels.length));
  return [{ parameters: { n, variable: "k" }, timings: summarise(rows, "1") }];
}

/** One row's time at k = 5 for each n. */
export function speedBySize(effort: Effort): ProcessCase[] {
  const k = 5;
  const batches = SIZES.map((n) => scoreBatch(Math.max(1, Math.round(CLASSES_A_CALL / n)), n, "float64"));
  for (const batch of batches) expectFormula(batch, k, 1, 1);
  const samples = interleave(
    batches.map(({ scores, labels }) => ({
      name: String(scores.shape[1]),
      run: () => void smoothTopkLoss(scores, labels, { k }),
    })),
    effort,
  );
  const rows = samples.map((sample, s) => perRow(sample, batches[s].labels.length));
  return [{ parameters: { k, variable: "n" }, timings: summarise(rows, "1000") }];
}

function perRow({ name, ms }: Samples, batch: number): Samples {
  return { name, ms: ms.map((value) => value / batch) };
}
