/** Test cases from families: drawn, judged by the oracle, flagged. */
import type { EspCase, Family, LossCase } from "./case-family.ts";
import { DTYPES, type Dtype, holds } from "../dtypes.ts";
import { espFamilies, hvpFamilies } from "./esp-families.ts";
import type { ExactFunctions } from "./exact-results.ts";
import { espFlags, lossFlags, underflows } from "./input-flags.ts";
import { hardLossFamilies, lossFamilies } from "./loss-families.ts";
import { SeededDraw } from "./seeded-draw.ts";
import { type FunctionName, type Input, type JsonNumber, type TestCase, toJson } from "./vector-file.ts";

/** A case before it is judged. */
export interface DrawnCase {
  readonly function: FunctionName;
  readonly id: string;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly drawn: LossCase | EspCase;
}

const families: Readonly<Record<FunctionName, readonly (Family<LossCase> | Family<EspCase>)[]>> = {
  smooth_topk_loss: lossFamilies,
  topk_loss: hardLossFamilies,
  log_esp: espFamilies,
  log_esp_hvp: hvpFamilies,
};

/** The families of a function, and how many cases each has among the vectors. */
export function familiesOf(name: FunctionName): readonly { readonly name: string; readonly count: number }[] {
  return families[name];
}

/**
 * Case number `at` of a family.
 *
 * @param seed   its random numbers: by default those of the vectors.
 * @param dtype  the grid of its inputs: by default each in turn.
 */
export function drawCase(
  name: FunctionName,
  family: string,
  at: number,
  { seed = "", dtype }: { readonly seed?: string; readonly dtype?: Dtype } = {},
): DrawnCase {
  const found = families[name].find((candidate) => candidate.name === family);
  if (found === undefined) throw new RangeError(`drawCase: ${name} has no family ${family}`);
  const id = `${name}-${family}-${at + 1}`;
  const grids = found.dtypes ?? DTYPES;
  const draw = new SeededDraw(seed + id, dtype ?? grids[at % grids.length]);
  return { function: name, id, comment: found.comment, flags: found.flags, drawn: found.draw(draw, at) };
}

/** The numbers of an input, that a format has to hold. */
function numbersIn(drawn: LossCase | EspCase, name: FunctionName): number[] {
  if ("scores" in drawn) {
    return [...drawn.scores.flat(), drawn.alpha, ...(name === "topk_loss" ? [] : [drawn.tau])];
  }
  return [...drawn.x.flat(), ...(name === "log_esp_hvp" ? drawn.v.flat() : [])];
}

/** The input as the protocol has it. */
function inputOf(name: FunctionName, drawn: LossCase | EspCase): Input {
  const matrix = (rows: readonly (readonly number[])[]): JsonNumber[][] => rows.map((row) => row.map(toJson));
  if ("scores" in drawn) {
    const { scores, labels, k, tau, alpha } = drawn;
    return { scores: matrix(scores), labels, k, ...(name === "topk_loss" ? {} : { tau }), alpha };
  }
  return { x: matrix(drawn.x), k: drawn.k, ...(name === "log_esp_hvp" ? { v: matrix(drawn.v) } : {}) };
}

/** The case with the oracle's results. */
export function judgeByOracle(exact: ExactFunctions, given: DrawnCase): TestCase {
  const { function: name, drawn } = given;
  const results =
    "scores" in drawn
      ? exact.loss(name as "smooth_topk_loss" | "topk_loss", drawn)
      : exact.esp(name as "log_esp" | "log_esp_hvp", drawn);
  const read = "scores" in drawn ? lossFlags(drawn, name === "topk_loss") : espFlags(drawn);
  const fromResults = [
    ...(underflows(Object.values(results.digits).flat(2)) ? ["Underflow"] : []),
    ...(name === "topk_loss" && results.expected["loss"].includes(0) && !read.includes("FewerThanK")
      ? ["ZeroLoss"]
      : []),
  ];
  // At the ends of the range a port may refuse by name, at limits that it states.
  const mayDiffer = given.flags.includes("Kink") || given.flags.includes("EndsOfRange");
  return {
    id: given.id,
    comment: given.comment,
    flags: [...new Set([...given.flags, ...read, ...fromResults])].sort(),
    dtypes: DTYPES.filter((dtype) => holds(dtype, numbersIn(drawn, name))),
    result: mayDiffer ? "acceptable" : "valid",
    input: inputOf(name, drawn),
    ...results,
  };
}

/** All drawn cases of a function, in the order of the vectors. */
export function* drawnCases(name: FunctionName): Generator<DrawnCase> {
  for (const { name: family, count } of families[name]) {
    for (let at = 0; at < count; at++) yield drawCase(name, family, at);
  }
}
