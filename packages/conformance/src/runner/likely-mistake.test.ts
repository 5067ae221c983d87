/** vectors/mistakes.json is what the mutants fail: `npm test -- likely-mistake -u` writes it anew. */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { mutants } from "../../testing/ports/mutants.ts";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import { isTelling, type Mistake } from "./likely-mistake.ts";
import { runConformance } from "./run-conformance.ts";
import { isTrainable } from "./verdict.ts";

const files = loadVectors().map((file) => ({ ...file, tests: file.tests.filter(isTelling) }));

it("the list of mistakes is what the mutants fail", async () => {
  const mistakes: Mistake[] = [];
  for (const { name, steps } of mutants) {
    const { outcomes } = await runConformance(portOfSteps(steps), files, { dtypes: ["float64"] });
    const fails = outcomes.filter((outcome) => !isTrainable(outcome)).map(({ case: test }) => test.id);
    if (fails.length > 0) mistakes.push({ name, fails });
  }
  const lines = mistakes.map((mistake) => `    ${JSON.stringify(mistake)}`);
  const text = `{\n  "version": "${files[0].version}",\n  "mistakes": [\n${lines.join(",\n")}\n  ]\n}\n`;
  await expect(text).toMatchFileSnapshot(fileURLToPath(new URL("../../vectors/mistakes.json", import.meta.url)));
});

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
