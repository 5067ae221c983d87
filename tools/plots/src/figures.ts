import { convexity } from "./convexity.ts";
import { crossEntropyCase } from "./cross-entropy.ts";
import { derivatives } from "./derivatives.ts";
import { gradient } from "./gradient.ts";
import { temperature } from "./temperature.ts";
import { upperBound } from "./upper-bound.ts";

/** Every plot of the documentation: the file's name without its ending, and what makes its text. */
export const FIGURES: Readonly<Record<string, () => string>> = {
  convexity,
  "cross-entropy": crossEntropyCase,
  derivatives,
  gradient,
  temperature,
  "upper-bound": upperBound,
};
