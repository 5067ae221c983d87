/**
 * The fused smooth top-k loss and gradient against cross-entropy on the same scores, results into the caller's memory.
 */
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import type { ProcessCase } from "./between-processes.ts";
import { type Effort, interleave, summarise } from "./interleaved-timer.ts";
import { expectCrossEntropy, expectFormula } from "./same-work.ts";
import { type ScoreBatch, scoreBatch } from "./score-batch.ts";

export const BATCH = 256;
export const CLASSES = 1000;
const ORDERS = [1, 2, 5, 10, 20, 50];
const TEMPERATURES = [1, 0.1, 0.01];
/** Batch, classes, k. */
const SHAPES = [
  [256, 1000, 5],
  [256, 1000, 20],
  [64, 1000, 50],
  [16, 10_000, 50],
  [4, 100_000, 50],
  [4, 100_000, 200],
] as const;

export type Precision = "float64" | "float32";

/** Times cross-entropy and the smooth top-k loss at each temperature, on one batch. */
export function timeLosses(
  batch: ScoreBatch,
  dtype: Precision,
  k: number,
  temperatures: readonly number[],
  effort: Effort,
): ProcessCase[] {
  const { scores, labels } = batch;
  const size = scores.data.length;
  const out = {
    loss: new Float64Array(labels.length),
    grad: dtype === "float64" ? new Float64Array(size) : new Float32Array(size),
  };
  return temperatures.map((tau) => {
    expectFormula(batch, k, tau, 2);
    const samples = interleave(
      [
        { name: "cross-entropy", run: () => void crossEntropyValueAndGrad(scores, labels, { out }) },
        { name: "smooth top-k", run: () => void smoothTopkLossValueAndGrad(scores, labels, { k, tau, out }) },
      ],
      effort,
    );
    return { parameters: { dtype, k, tau }, timings: summarise(samples, "cross-entropy") };
  });
}

export function speedOfLosses(dtype: Precision, effort: Effort): ProcessCase[] {
  const batch = scoreBatch(BATCH, CLASSES, dtype);
  expectCrossEntropy(batch);
  return ORDERS.flatMap((k) => timeLosses(batch, dtype, k, TEMPERATURES, effort));
}

/** From few classes and guesses to many of both, in double precision. */
export function speedOfShapes(effort: Effort): ProcessCase[] {
  return SHAPES.flatMap(([batch, n, k]) =>
    timeLosses(scoreBatch(batch, n, "float64"), "float64", k, TEMPERATURES, effort).map(({ parameters, timings }) => ({
      parameters: { batch, n, k, tau: parameters.tau },
      timings,
    })),
  );
}
