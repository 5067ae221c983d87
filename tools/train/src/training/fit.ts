/**
 * Training: stochastic gradient descent with Nesterov's momentum, the learning rate divided by ten at half and at three
 * quarters of the epochs, as in the paper's experiments on CIFAR-100.
 */
import { sgd, type Tensor, vjp } from "@smooth-topk/grad";
import type { NdArray } from "ndarray";
import { type Accuracy, accuracyOf } from "./accuracy.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Loss } from "./trained-loss.ts";
import type { Model, Weights } from "./model.ts";
import type { Stream } from "./random-streams.ts";
import type { Split } from "../data/split.ts";
import type { Batcher } from "../data/standardised-batches.ts";

export interface FitOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/** What training may see: no test sample is in it. */
export interface TrainingData {
  readonly batches: Batcher;
  readonly training: Split["training"];
  /** Labels of all samples, of which those of the training samples carry noise. */
  readonly noisyLabels: Int32Array;
  readonly validation: Split["validation"];
  readonly trueLabels: Pick<Dataset, "labels">;
}

export interface Curves {
  /** Mean training loss of each epoch, on the noisy labels. */
  readonly loss: readonly number[];
  /** Accuracy on validation after each epoch. */
  readonly top1: readonly number[];
  readonly topk: readonly number[];
}

export interface Fitted {
  readonly weights: Weights;
  readonly curves: Curves;
  readonly validation: Accuracy;
  /** Whether the scores left the finite numbers; training then ended, and counts as worth nothing. */
  readonly diverged: boolean;
}

/** Called now and then; may throw to stop. */
export type Pause = (samplesDone: number) => Promise<void>;

/** Trains a model; the same arguments give the same weights to the last bit. */
export async function fit(
  model: Model,
  loss: Loss,
  data: TrainingData,
  k: number,
  options: FitOptions,
  random: { readonly initial: Stream; readonly order: Stream },
  pause: Pause,
): Promise<Fitted> {
  const { epochs, batchSize, learningRate, momentum, weightDecay } = options;
  const optimiser = sgd({ learningRate, momentum, weightDecay, nesterov: momentum > 0 });
  let weights = model.initial(random.initial);
  let state = optimiser.init(weights);
  const order = Int32Array.from(data.training);
  const curves = { loss: [] as number[], top1: [] as number[], topk: [] as number[] };
  const nothing: Accuracy = { top1: 0, topk: 0 };
  let validation = nothing;
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.order.shuffle(order);
    const rate = learningRate * scheduled(epoch, epochs);
    let sum = 0;
    for (let from = 0; from < order.length; from += batchSize) {
      const some = order.subarray(from, from + batchSize);
      const inputs = data.batches(some);
      const { value: output, vjp: pull } = vjp(
        (w: Readonly<Record<string, Tensor>>) => model.scores(w, inputs),
        weights,
      );
      const scores = output as NdArray<Float64Array>;
      if (!finite(scores)) return { weights, curves, validation: nothing, diverged: true };
      const { value, grad } = await loss(
        scores,
        some.map((i) => data.noisyLabels[i]),
      );
      const [gradients] = pull(grad);
      ({ params: weights, state } = optimiser.update(weights, gradients, state, rate));
      sum += value * some.length;
      await pause(some.length);
    }
    validation = accuracyOf(model, weights, data.batches, data.trueLabels, data.validation, k);
    curves.loss.push(sum / order.length);
    curves.top1.push(validation.top1);
    curves.topk.push(validation.topk);
  }
  return { weights, curves, validation, diverged: false };
}

/** Factor of the learning rate in an epoch. */
function scheduled(epoch: number, epochs: number): number {
  return (2 * epoch >= epochs ? 0.1 : 1) * (4 * epoch >= 3 * epochs ? 0.1 : 1);
}

function finite({ data }: NdArray<Float64Array>): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}
