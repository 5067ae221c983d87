/**
 * The smooth top-k loss by its formula: of one row in double precision on the reference, and of a batch on a backend, as
 * a package of losses makes it of a log-ratio.
 */
import { type EspBackend, logEspRatio } from "@smooth-topk/esym";
import type { NdArray } from "ndarray";

export interface ReferenceLoss {
  readonly loss: number;
  readonly grad: Float64Array;
}

export function referenceLoss(
  scores: ArrayLike<number>,
  label: number,
  k: number,
  tau: number,
  alpha: number,
): ReferenceLoss {
  const others = Float64Array.from(scores);
  others[label] = -Infinity;
  const sorted = others.filter((s) => s > -Infinity).toSorted((a, b) => b - a);
  const grad = new Float64Array(scores.length);
  if (sorted.length < k) return { loss: 0, grad };
  // Differences to the k-th largest: scores of 1e6 at a temperature of 1e-3 keep their digits.
  const centre = sorted[k - 1];
  const ratio = logEspRatio(
    others.map((s) => (s - centre) / (k * tau)),
    k,
  );
  const z = (k * alpha + (centre - scores[label])) / (k * tau) + ratio.value.get(0);
  const w = z > 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
  for (let i = 0; i < grad.length; i++) grad[i] = (w / k) * ratio.grad.get(i);
  grad[label] = -w / k;
  return { loss: tau * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))), grad };
}

export interface BackendLoss {
  readonly loss: Float64Array;
  readonly grad: NdArray<Float64Array | Float32Array>;
}

/** One loss per row of a batch, and each row's own gradient. */
export async function lossOn(
  backend: EspBackend,
  scores: readonly (readonly number[])[],
  labels: ArrayLike<number>,
  { k, tau = 1, alpha = 1 }: { readonly k: number; readonly tau?: number; readonly alpha?: number },
): Promise<BackendLoss> {
  const [n, temperature] = [scores[0].length, k * tau];
  const loss = new Float64Array(scores.length);
  const steps = new Float64Array(scores.length);
  const { grad } = await backend.logEspRatio(scores, k, {
    temperature: [temperature, 0],
    leftOut: labels,
    rowWeight: (b, ratio, centre) => {
      if (ratio === 0) return 0;
      const z = (k * alpha + (centre - scores[b][labels[b]])) / temperature + Math.log(ratio);
      const odds = Math.exp(-Math.abs(z));
      loss[b] = tau * (Math.max(z, 0) + Math.log1p(odds));
      steps[b] = (z > 0 ? 1 : odds) / (1 + odds) / k;
      return steps[b];
    },
  });
  for (let b = 0; b < scores.length; b++) grad.data[b * n + labels[b]] = -steps[b];
  return { loss, grad };
}
