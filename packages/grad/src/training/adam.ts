/**
 * Adam: steps scaled by running moments of the gradient.
 */
import { checkSetting, type Optimiser, optimiser } from "./optimiser.ts";

export interface AdamOptions {
  readonly learningRate: number;
  /** Default 0.9. */
  readonly beta1?: number | undefined;
  /** Default 0.999. */
  readonly beta2?: number | undefined;
  /** Default 1e-8. */
  readonly epsilon?: number | undefined;
  /** Added to the gradient, times the parameter. Default 0. */
  readonly weightDecay?: number | undefined;
}

/**
 * With g = gradient + weightDecay p: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
 * p = p - learningRate m' / (sqrt(v') + epsilon), m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) at step t.
 *
 * @throws RangeError naming a setting out of range.
 *
 * Kingma, Ba (2015), algorithm 1.
 */
export function adam(options: AdamOptions): Optimiser {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  checkSetting("adam", "learningRate", learningRate, 0);
  checkSetting("adam", "beta1", beta1, 0, 1);
  checkSetting("adam", "beta2", beta2, 0, 1);
  checkSetting("adam", "epsilon", epsilon, 0);
  checkSetting("adam", "weightDecay", weightDecay, 0);
  return optimiser("adam", 2, learningRate, (out, p, g, [first, second], step, rate) => {
    const firstScale = 1 / (1 - beta1 ** step);
    const secondScale = 1 / (1 - beta2 ** step);
    for (let i = 0; i < out.length; i++) {
      const slope = g[i] + weightDecay * p[i];
      first[i] = beta1 * first[i] + (1 - beta1) * slope;
      second[i] = beta2 * second[i] + (1 - beta2) * slope * slope;
      out[i] = p[i] - (rate * firstScale * first[i]) / (Math.sqrt(secondScale * second[i]) + epsilon);
    }
  });
}
