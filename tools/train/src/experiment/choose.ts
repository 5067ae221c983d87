/**
 * The choice among candidates, by validation alone: the type of what is compared has no test in it.
 */
import type { Accuracy } from "../training/accuracy.ts";

/** The best top-k accuracy on validation; then the best top-1; then the first. */
export function chooseByValidation<R extends { readonly validation: Accuracy }>(runs: readonly R[]): R {
  return runs.reduce((best, run) => {
    const [a, b] = [run.validation, best.validation];
    return a.topk > b.topk || (a.topk === b.topk && a.top1 > b.top1) ? run : best;
  });
}
