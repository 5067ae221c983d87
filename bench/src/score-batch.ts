/**
 * Batches of normal scores with labels by chance, the same in every process.
 */
import { rowsOf, wrap } from "@smooth-topk/esym/kernel";
import { families, seeded } from "./score-families.ts";

/** A row-major matrix [batch, n]. */
export type ScoreMatrix = ReturnType<typeof wrap<Float64Array | Float32Array>>;

export interface ScoreBatch {
  readonly scores: ScoreMatrix;
  readonly labels: Int32Array;
}

export function scoreBatch(batch: number, n: number, dtype: "float64" | "float32"): ScoreBatch {
  const random = seeded(n);
  const values = families["normal, scale 1"](batch * n, random);
  const labels = Int32Array.from({ length: batch }, () => Math.floor(random() * n));
  return { scores: scoreMatrix(dtype === "float64" ? values : Float32Array.from(values), batch), labels };
}

/** Views values as a matrix of `batch` rows. */
export function scoreMatrix(values: Float64Array | Float32Array, batch: number): ScoreMatrix {
  return wrap(values, { ...rowsOf("scoreMatrix", "values", values), batch, isVector: false }, values.length / batch);
}
