/**
 * Input that a port must refuse: one mistake each in an otherwise good request.
 */
import { DTYPES } from "../dtypes.ts";
import type { FunctionName, Input, JsonNumber, TestCase } from "./vector-file.ts";

type Mistake = readonly [flag: string, comment: string, change: Readonly<Record<string, unknown>>];

const scores: JsonNumber[][] = [[1, 2, 3, 0.5, -1]];
const twoRows: JsonNumber[][] = [...scores, [0, 1, 0, 2, 0]];

/** A good row with one entry replaced. */
function spoilt(value: JsonNumber): JsonNumber[][] {
  return [scores[0].with(3, value)];
}

const ofLosses: readonly Mistake[] = [
  ["InvalidOrder", "k is 0", { k: 0 }],
  ["InvalidOrder", "k is negative", { k: -1 }],
  ["InvalidOrder", "k is n: no k classes besides the label", { k: 5 }],
  ["InvalidOrder", "k is above n", { k: 9 }],
  ["InvalidOrder", "k is not an integer", { k: 1.5 }],
  ["InvalidLabel", "a label is n", { labels: [5] }],
  ["InvalidLabel", "a label is negative", { labels: [-1] }],
  ["InvalidLabel", "a label is not an integer", { labels: [0.5] }],
  ["InvalidLabel", "a label is a masked class", { scores: spoilt("-Infinity"), labels: [3] }],
  ["InvalidLabel", "fewer labels than rows", { scores: twoRows, labels: [1] }],
  ["InvalidLabel", "more labels than rows", { labels: [1, 2] }],
  ["InvalidLabel", "the second label is out of range", { scores: twoRows, labels: [1, 7] }],
  ["InvalidScores", "a score is NaN", { scores: spoilt("NaN") }],
  ["InvalidScores", "a score is +Infinity", { scores: spoilt("Infinity") }],
  ["InvalidScores", "the label's score is NaN", { scores: spoilt("NaN"), labels: [3] }],
  ["InvalidScores", "rows of different lengths", { scores: [...scores, [1, 2, 3]], labels: [0, 0] }],
  ["InvalidParameter", "alpha is NaN", { alpha: "NaN" }],
  ["InvalidParameter", "alpha is infinite", { alpha: "Infinity" }],
];

const ofSmoothLoss: readonly Mistake[] = [
  ["InvalidParameter", "tau is 0", { tau: 0 }],
  ["InvalidParameter", "tau is negative", { tau: -1 }],
  ["InvalidParameter", "tau is NaN", { tau: "NaN" }],
  ["InvalidParameter", "tau is infinite", { tau: "Infinity" }],
];

const ofEsp: readonly Mistake[] = [
  ["InvalidOrder", "k is negative", { k: -1 }],
  ["InvalidOrder", "k is n + 1", { k: 6 }],
  ["InvalidOrder", "k is not an integer", { k: 2.5 }],
  ["InvalidScores", "an entry is NaN", { x: spoilt("NaN") }],
  ["InvalidScores", "an entry is +Infinity", { x: spoilt("Infinity") }],
  ["InvalidScores", "rows of different lengths", { x: [...scores, [1, 2]] }],
];

const ofHvp: readonly Mistake[] = [
  ["InvalidScores", "v is shorter than x", { v: [[1, 0, 0, 0]] }],
  ["InvalidScores", "v has fewer rows than x", { x: twoRows }],
  ["InvalidScores", "an entry of v is NaN", { v: [["NaN", 0, 0, 0, 0]] }],
  ["InvalidScores", "an entry of v is -Infinity", { v: [[1, 0, "-Infinity", 0, 0]] }],
];

const mistakes: Readonly<Record<FunctionName, readonly Mistake[]>> = {
  smooth_topk_loss: [...ofLosses, ...ofSmoothLoss],
  topk_loss: ofLosses,
  log_esp: ofEsp,
  log_esp_hvp: [...ofEsp, ...ofHvp],
};

function goodInput(name: FunctionName): Input {
  if (name === "smooth_topk_loss") return { scores, labels: [1], k: 2, tau: 1, alpha: 1 };
  if (name === "topk_loss") return { scores, labels: [1], k: 2, alpha: 1 };
  if (name === "log_esp") return { x: scores, k: 2 };
  return { x: scores, k: 2, v: [[1, 0, -1, 0.5, 2]] };
}

export function invalidCases(name: FunctionName): TestCase[] {
  return mistakes[name].map(([flag, comment, change], at) => ({
    id: `${name}-invalid-${at + 1}`,
    comment,
    flags: [flag],
    dtypes: DTYPES,
    result: "invalid",
    input: { ...goodInput(name), ...change },
  }));
}
