/**
 * Accuracies in words.
 */
import type { LossName } from "../training/trained-loss.ts";
import type { Mean } from "./summary.ts";

/** "61.2" for 0.612. */
export function percent(fraction: number, digits = 1): string {
  return (100 * fraction).toFixed(digits);
}

/** "61.2 ± 0.4", the standard error after the sign; without it for a single seed. */
export function percentMean({ mean, standardError }: Mean): string {
  return standardError === null ? percent(mean) : `${percent(mean)} ± ${percent(standardError)}`;
}

/** "+1.2 ± 0.4" for a difference. */
export function percentGain(gain: Mean): string {
  return `${gain.mean < 0 ? "" : "+"}${percentMean(gain)}`;
}

/** The loss as a reader knows it. */
export function lossTitle(loss: LossName, k: number): string {
  return { "cross-entropy": "cross-entropy", "smooth-topk": `smooth top-${k}`, topk: `hard top-${k}` }[loss];
}
