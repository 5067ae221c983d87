/** vectors/mistakes.json is what the mutants fail: `npm run test:deep -- mistakes -u` writes it anew. */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { mutants } from "../../testing/ports/mutants.ts";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import type { VectorFile } from "../vectors/vector-file.ts";
import { isTelling, type Mistake } from "./likely-mistake.ts";
import { runConformance } from "./run-conformance.ts";
import { isTrainable } from "./verdict.ts";

const telling = (file: VectorFile): VectorFile => ({ ...file, tests: file.tests.filter(isTelling) });
const files = loadVectors().map(telling);

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
}, 120_000);
