/**
 * Which of the mistakes that people make a port has: the one that fails the same cases. vectors/mistakes.json lists, for
 * a port with each of them, the cases that one could not train with.
 */
import { readFileSync } from "node:fs";
import type { TestCase } from "../vectors/vector-file.ts";
import type { CaseOutcome } from "./case-outcome.ts";
import { isTrainable } from "./verdict.ts";

/** The cases that a port with a mistake fails. */
export interface Mistake {
  readonly name: string;
  /** Ids of the cases failed. */
  readonly fails: readonly string[];
}

export interface LikelyMistake {
  readonly name: string;
  /** Cases that both fail, and that either fails. */
  readonly both: number;
  readonly either: number;
}

/** Longer rows take most of the time and tell no more. */
const LONGEST_ROW = 50;
/** Below this share of cases in common, two ports have different mistakes. */
const LEAST_SHARE = 0.75;

/** Whether the case is one by which mistakes are told apart. */
export function isTelling(test: TestCase): boolean {
  return (
    test.result === "valid" && ("scores" in test.input ? test.input.scores : test.input.x)[0].length <= LONGEST_ROW
  );
}

function loadMistakes(): Mistake[] {
  const file = new URL("../../vectors/mistakes.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { mistakes: Mistake[] }).mistakes;
}

/** The mistake whose cases are nearly those that the port fails, in double precision; undefined where none is. */
export function likelyMistake(
  outcomes: readonly CaseOutcome[],
  mistakes: readonly Mistake[] = loadMistakes(),
): LikelyMistake | undefined {
  const asked = outcomes.filter(({ dtype, case: test }) => dtype === "float64" && isTelling(test));
  const failed = new Set(asked.filter((outcome) => !isTrainable(outcome)).map(({ case: test }) => test.id));
  if (failed.size === 0) return undefined;
  const ids = new Set(asked.map(({ case: test }) => test.id));
  let best: LikelyMistake | undefined;
  for (const { name, fails } of mistakes) {
    const among = fails.filter((id) => ids.has(id));
    const both = among.filter((id) => failed.has(id)).length;
    const either = among.length + failed.size - both;
    if (both / either >= LEAST_SHARE && (best === undefined || both / either > best.both / best.either)) {
      best = { name, both, either };
    }
  }
  return best;
}
