/**
 * What the paper reports for CIFAR-100 with label noise within super-classes, a DenseNet 40-40, accuracies on the test set
 * (Berrada, Zisserman, Kumar, 2018).
 *
 * Recalled, not transcribed: these numbers have not been compared with the paper's table. Whatever shows them says so,
 * with UNVERIFIED.
 */

/** Stands beside the figures wherever they are shown. */
export const UNVERIFIED = "Recalled from memory and not compared with the paper's table: look them up before citing.";

export interface PaperFigure {
  readonly noise: number;
  /** Cross-entropy. */
  readonly crossEntropy: { readonly top1: number; readonly topk: number };
  /** The smooth top-5 loss at tau = 1. */
  readonly smoothTopk: { readonly top1: number; readonly topk: number };
}

function figure(noise: number, ce1: number, smooth1: number, ce5: number, smooth5: number): PaperFigure {
  return {
    noise,
    crossEntropy: { top1: ce1 / 100, topk: ce5 / 100 },
    smoothTopk: { top1: smooth1 / 100, topk: smooth5 / 100 },
  };
}

export const PAPER_CIFAR100: readonly PaperFigure[] = [
  figure(0, 76.68, 69.33, 94.34, 94.29),
  figure(0.2, 68.2, 71.3, 87.89, 90.59),
  figure(0.4, 61.18, 70.02, 83.04, 87.39),
  figure(0.6, 52.5, 67.97, 79.59, 83.86),
  figure(0.8, 35.53, 55.85, 74.8, 79.32),
  figure(1, 14.06, 15.28, 67.7, 72.93),
];
