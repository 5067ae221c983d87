import { expect, it } from "vitest";
import { mutants } from "../../testing/ports/mutants.ts";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import type { VectorFile } from "../vectors/vector-file.ts";
import { isTelling } from "./likely-mistake.ts";
import { runConformance } from "./run-conformance.ts";

const telling = (file: VectorFile): VectorFile => ({ ...file, tests: file.tests.filter(isTelling) });
const files = loadVectors().map(telling);

it.each(["a missing 1/k in the scores", "alpha divided by k", "k and k - 1 swapped"])(
  "a port with the mistake of %s is told so",
  async (name) => {
    const steps = mutants.find((mutant) => mutant.name === name)?.steps;
    const { likelyMistake, groups, firstStep } = await runConformance(portOfSteps(steps), files, {
      dtypes: ["float64"],
    });
    expect(likelyMistake?.name).toBe(name);
    expect(groups[0].level).toBe("wrong");
    expect(firstStep).toEqual({ flag: "PaperFormula", step: 1 });
  },
);
