import { describe, expect, it } from "vitest";
import { mutants } from "../../testing/ports/mutants.ts";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import { runConformance } from "./run-conformance.ts";
import type { TestCase, VectorFile } from "../vectors/vector-file.ts";

/** Long rows take most of the time and find nothing that short ones do not, overflow aside. */
const LONGEST_ROW = 50;
const rowLength = ({ input }: TestCase): number => ("scores" in input ? input.scores : input.x)[0].length;
const shorten = (file: VectorFile): VectorFile => ({
  ...file,
  tests: file.tests.filter((test) => rowLength(test) <= LONGEST_ROW),
});
const files = loadVectors();
const shortFiles = files.map(shorten);

describe("the vectors", () => {
  it("pass a straightforward port in double precision, in every function and precision", async () => {
    const { passed, failures, groups } = await runConformance(portOfSteps(), files);
    expect(failures).toEqual([]);
    expect(passed).toBe(true);
    expect(groups.map(({ status }) => status)).toEqual(new Array(12).fill("pass"));
  });

  it.each(mutants)("find $name", async ({ steps, foundBy }) => {
    const needsLong = foundBy.includes("CoefficientOverflow");
    const { passed, failures } = await runConformance(portOfSteps(steps), needsLong ? files : shortFiles, {
      dtypes: ["float64"],
      filter: needsLong ? /CoefficientOverflow/ : undefined,
    });
    expect(passed).toBe(false);
    const found = new Set(failures.flatMap(({ flags }) => flags));
    expect(foundBy.filter((flag) => !found.has(flag))).toEqual([]);
  });
});
