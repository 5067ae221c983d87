/** What each flag of a test case is about, and the mistake that such cases find. */
import type { Note } from "./vector-file.ts";

export const notes: Readonly<Record<string, Note>> = {
  Batch: {
    bugType: "reduction",
    description: "The request has several rows. Each has its own loss and the gradient of that loss, unreduced.",
    effect: "A gradient divided by the batch size, a scale shared between rows, a label of another row.",
  },
  CatastrophicCancellation: {
    bugType: "cancellation",
    description:
      "The result is small beside terms that a plain formula subtracts: pi_i^(k) - pi_i^(k-1) where both are near 1, " +
      "the logarithm of a number near 1, a direction with a large constant part.",
    effect: "Relative errors up to 1, and wrong signs.",
  },
  Clusters: {
    bugType: "underflow",
    description: "Groups of entries lie far apart: coefficients of neighbouring orders differ by many powers of ten.",
    effect: "A centre or a scale that suits one group and loses the others; 0 / 0.",
  },
  CoefficientOverflow: {
    bugType: "overflow",
    description: "C(n, k) is above 1e38, some of them above 1e308: unscaled coefficients overflow.",
    effect: "Infinity or NaN.",
  },
  ConfidentLabel: {
    bugType: "softplus",
    description: "The label is far above or far below the k-th other class: e^z is tiny or huge.",
    effect: "log(1 + e^z) rounded to 0 or to a multiple of u in place of log1p; overflow of e^z.",
  },
  CrossEntropyCase: {
    bugType: "definition",
    description: "k = 1, tau = 1, alpha = 0: the loss is the cross-entropy and the gradient softmax minus one-hot.",
    effect: "Any misplaced factor shows against a loss that every framework has.",
  },
  DominantClass: {
    bugType: "cancellation",
    description: "One entry is so far above that it is in nearly every subset; its complement is a small number.",
    effect:
      "1 - pi, or sigma_k - e_i sigma_{k-1}(e without i), lose all digits; log-sum-exp without its shift overflows.",
  },
  EndsOfRange: {
    bugType: "overflow",
    description: "Finite scores whose differences, or differences over k tau, are beyond the largest number.",
    effect: "NaN from Infinity - Infinity; a loss of 0 where an infinite difference was clipped.",
  },
  FewLevels: {
    bugType: "growth of errors",
    description: "The row has one to five distinct values, exact or jittered by a few ulp: equal factors round alike.",
    effect: "Errors that average out elsewhere add up: tens of u in the loss.",
  },
  FewerThanK: {
    bugType: "empty sum",
    description:
      "Masking leaves fewer than k entries (besides the label): sigma_k = 0. Loss 0 and gradient 0; log sigma_k is -Infinity, inclusion and hvp are [].",
    effect: "NaN from -Infinity - -Infinity, or an error.",
  },
  GeometricDecay: {
    bugType: "underflow",
    description: "Weights fall by a constant factor from entry to entry.",
    effect: "Entries taken for negligible that are not; thresholds that fit no row.",
  },
  HardSwitch: {
    bugType: "approximation",
    description:
      "The gap between the k-th and the next class is where implementations switch to the hard loss, (for the authors' " +
      "code k tau log 1000), and the label is close to the k-th class, so that the two losses differ.",
    effect: "Losses off by up to tau log 2 and gradients off by a factor of 2.",
  },
  InvalidLabel: {
    bugType: "validation",
    description: "A label out of range, not an integer, of a masked class, or not one per row.",
    effect: "An index from the end of the row, or a loss of NaN.",
  },
  InvalidOrder: {
    bugType: "validation",
    description: "k is not an integer, or below its least or above its largest value.",
    effect: "A loss that is always 0 or Infinity trains nothing and says nothing.",
  },
  InvalidParameter: {
    bugType: "validation",
    description: "tau is not a finite number above 0, or alpha is not finite.",
  },
  InvalidScores: {
    bugType: "validation",
    description: "A score is NaN or +Infinity, or a row has another length.",
    effect: "NaN spreads over the batch.",
  },
  KEqualsN: { bugType: "off by one", description: "The only k-subset is the whole row: inclusion is 1 everywhere." },
  KEqualsNMinus1: {
    bugType: "off by one",
    description: "All other classes form the only k-subset without the label.",
    effect: "Wrong bounds of the recurrence; an order that is never computed.",
  },
  KEqualsOne: { bugType: "off by one", description: "sigma_1 is a sum, sigma_0 = 1, and order k - 2 does not exist." },
  KEqualsZero: { bugType: "off by one", description: "The only 0-subset is empty: log sigma_0 = 0, inclusion is 0." },
  Kink: {
    bugType: "convention",
    description: "The hard loss is exactly at its kink: several subgradients are right, the one given is 0.",
  },
  LargeK: {
    bugType: "growth of errors",
    description: "k is 20 or more.",
    effect: "Errors that grow with k faster than the contract; unrolled kernels that end at a smaller k.",
  },
  LargeScores: {
    bugType: "overflow",
    description: "Some log-values s / (k tau) are beyond 88, where e^x overflows in single precision, many beyond 709.",
    effect:
      "Infinity and NaN without a shift; digits lost where s / (k tau) is rounded before the difference is taken.",
  },
  LargeTau: {
    bugType: "cancellation",
    description: "tau is 100 or more: the loss is tau log C(n, k) / C(n-1, k-1), nearly, and all gradients are alike.",
  },
  MarginNotOne: {
    bugType: "definition",
    description: "alpha is not 1: zero, negative, small or large.",
    effect: "A margin on the wrong side, divided by k, or not divided by tau.",
  },
  LightAndHeavy: {
    bugType: "approximation",
    description:
      "Inclusion probabilities lie on both sides of 2^-9, 2^-6 and 1/4, where implementations that sum powers of light entries and multiply heavy ones draw the line.",
    effect:
      "A series cut one term early; identities used where they amplify errors; an entry counted twice or not at all.",
  },
  MaskedClasses: {
    bugType: "masking",
    description: "Scores of -Infinity are classes that are not there.",
    effect: "NaN from -Infinity - -Infinity or 0 * Infinity; a gradient at a masked class.",
  },
  MixedScales: {
    bugType: "reduction",
    description: "Rows of very different scale are in one batch.",
    effect: "A shift, a threshold or an exponent shared between rows.",
  },
  NullDirection: {
    bugType: "cancellation",
    description: "The direction is constant, and the Hessian times a constant is exactly 0.",
    effect: "Rounding errors of the size of the direction.",
  },
  PaperFormula: {
    bugType: "definition",
    description: "Few classes and ordinary numbers: the formulas of the paper, summed over all subsets, give the same.",
    effect: "A missing 1/k, k and k - 1 swapped, the margin on the wrong side, the label among the others.",
  },
  ShiftedScores: {
    bugType: "cancellation",
    description: "A large constant is added to all scores. Losses do not depend on it, and inclusion does not.",
    effect: "Digits lost where s / (k tau) is rounded before the difference is taken.",
  },
  SmallTau: {
    bugType: "overflow",
    description: "tau is 0.1 or less: the loss is nearly the hard one.",
    effect: "Overflow, underflow and cancellation; a switch to the hard loss where it is not yet the same.",
  },
  Ties: {
    bugType: "ties",
    description: "The k-th and the next entry are equal. The gradient is shared equally between equal entries.",
    effect: "One of the tied classes gets all; a division of 0 by 0.",
  },
  Typical: { bugType: "none", description: "What a training run sends." },
  Underflow: {
    bugType: "underflow",
    description: "Some results are below the least normal number of the format; the 40 digits tell how small.",
    effect: "NaN from 0 / 0 or from log 0.",
  },
  ZeroLoss: { bugType: "definition", description: "The hard loss is 0, and so is its gradient." },
};
