/**
 * Vector files as text: JSON with a field a line, so that a change shows as the lines that changed.
 */
import { notes } from "./notes.ts";
import type { FunctionName, TestCase, VectorFile } from "./vector-file.ts";

const SCHEMA = "vectors.schema.json";
export const VERSION = "2.0.0";

const headers: Readonly<Record<FunctionName, readonly string[]>> = {
  smooth_topk_loss: [
    "The smooth top-k loss of Berrada, Zisserman and Kumar (ICLR 2018), one loss a row, and the gradient of each row's loss",
    "in its scores: tau softplus(z), z = alpha / tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y / (k tau),",
    "e_i = exp(s_i / (k tau)) over the classes i besides the label y.",
  ],
  topk_loss: [
    "The hard top-k loss max(0, alpha + (s_[k] - s_y) / k), s_[k] the k-th largest score besides the label's, and the",
    "subgradient that the smooth gradient tends to as tau -> 0: -1/k at the label, 1/k shared equally by the classes at s_[k].",
  ],
  log_esp: [
    "log_sigma: logarithms of the elementary symmetric polynomials of exp(x), orders 0 to k. inclusion: the gradient of the",
    "last one in x, which is the probability that a k-subset drawn with weight exp(sum of its x_i) holds entry i.",
  ],
  log_esp_hvp: [
    "hvp: the Hessian of log sigma_k in x, times v. It is the covariance matrix of the k-subset distribution, and variance is",
    "its diagonal, pi_i (1 - pi_i).",
  ],
};

const general = [
  "A case is for each precision in dtypes: its input is exact there. expected has the doubles nearest to the exact results,",
  "digits the same to 40 significant digits.",
];

/** The file of a function's cases. */
export function vectorFile(name: FunctionName, tests: readonly TestCase[]): VectorFile {
  const used = [...new Set(tests.flatMap(({ flags }) => flags))].sort();
  return {
    schema: SCHEMA,
    version: VERSION,
    function: name,
    header: [...headers[name], ...general],
    notes: Object.fromEntries(used.map((flag) => [flag, notes[flag]])),
    numberOfTests: tests.length,
    tests,
  };
}

/** The lines of an object, one a field; fields named in `nested` are broken up the same way. */
function lines(object: object, indent: string, nested: readonly string[]): string {
  const fields = Object.entries(object).map(([name, value]) => {
    const text = nested.includes(name) ? lines(value as object, `${indent}  `, []) : JSON.stringify(value);
    return `${indent}  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${fields.join(",\n")}\n${indent}}`;
}

/** A case as the files have it, which is also how a counter-example is shown. */
export function caseText(test: TestCase, indent = ""): string {
  return lines(test, indent, ["expected", "digits"]);
}

export function vectorText(file: VectorFile): string {
  const { tests, ...rest } = file;
  const head = lines(rest, "", ["notes"]).slice(0, -2);
  return `${head},\n  "tests": [\n${tests.map((test) => `    ${caseText(test, "    ")}`).join(",\n")}\n  ]\n}\n`;
}
