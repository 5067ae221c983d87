/**
 * Stochastic gradient descent with momentum and weight decay.
 */
import { checkSetting, type Optimiser, optimiser } from "./optimiser.ts";

export interface SgdOptions {
  readonly learningRate: number;
  /** Default 0. */
  readonly momentum?: number | undefined;
  /** Added to the gradient, times the parameter. Default 0. */
  readonly weightDecay?: number | undefined;
  /** Steps along g + momentum v instead of v. Default false. */
  readonly nesterov?: boolean | undefined;
}

/**
 * With g = gradient + weightDecay p: v = momentum v + g, p = p - learningRate v (Nesterov: g + momentum v in place of
 * v). The velocity starts at 0 and is not multiplied by the learning rate, as in PyTorch.
 *
 * @throws RangeError naming a setting out of range.
 *
 * Sutskever, Martens, Dahl, Hinton (2013).
 */
export function sgd(options: SgdOptions): Optimiser {
  const { learningRate, momentum = 0, weightDecay = 0, nesterov = false } = options;
  checkSetting("sgd", "learningRate", learningRate, 0);
  checkSetting("sgd", "momentum", momentum, 0, 1);
  checkSetting("sgd", "weightDecay", weightDecay, 0);
  return optimiser("sgd", 1, learningRate, (out, p, g, [velocity], _step, rate) => {
    for (let i = 0; i < out.length; i++) {
      const slope = g[i] + weightDecay * p[i];
      velocity[i] = momentum * velocity[i] + slope;
      out[i] = p[i] - rate * (nesterov ? slope + momentum * velocity[i] : velocity[i]);
    }
  });
}
