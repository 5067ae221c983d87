/**
 * The smooth top-k loss of one row by its formula, in double precision, on the reference backend's log-ratio.
 */
import { logEspRatio } from "@smooth-topk/esym";

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
