/**
 * The smooth top-k loss of a backend's log-ratio, as @smooth-topk/loss makes it: what the tests here need of it, so that the
 * loss's vectors run on the kernels alone. L = tau softplus(z), e^z = ratio exp((k alpha + centre - s_y) / (k tau)).
 */
import type { SyncEspBackend } from "@smooth-topk/esym";
import { add, divide, extendedExp, powerOfTwo, twoProduct, twoSum } from "@smooth-topk/esym/kernel";

export interface LossRows {
  readonly loss: number[];
  readonly grad: number[][];
}

/** Loss and gradient of each row, unreduced. */
export function lossOfRatio(
  backend: SyncEspBackend,
  scores: readonly (readonly number[])[],
  labels: readonly number[],
  k: number,
  tau: number,
  alpha: number,
): LossRows {
  const temperature = twoProduct(k, tau);
  const loss = labels.map(() => 0);
  const steps = labels.map(() => 0);
  const rowWeight = (b: number, ratio: number, centre: number): number => {
    if (ratio === 0) return 0;
    const margin = add(twoProduct(k, alpha), twoSum(centre, -scores[b][labels[b]]));
    const [hi, lo] = divide(margin, temperature);
    const { mantissa, exponent } = extendedExp(hi, lo);
    if (exponent > 1000) {
      loss[b] = tau * (hi + (lo + Math.log(ratio)));
      steps[b] = 1 / k;
    } else {
      const half = Math.trunc(exponent / 2);
      const odds = ratio * mantissa * powerOfTwo(half) * powerOfTwo(exponent - half);
      loss[b] = tau * Math.log1p(odds);
      steps[b] = odds / (1 + odds) / k;
    }
    return steps[b];
  };
  const { grad } = backend.logEspRatio(scores, k, { temperature, leftOut: labels, rowWeight });
  return {
    loss,
    grad: scores.map((row, b) => row.map((_, i) => (i === labels[b] && steps[b] !== 0 ? -steps[b] : grad.get(b, i)))),
  };
}
