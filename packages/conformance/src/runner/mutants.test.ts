import { describe, expect, it } from "vitest";
import { bySplit, mutants } from "../../testing/ports/mutants.ts";
import { portOfSteps } from "../../testing/ports/port-of-steps.ts";
import { loadVectors } from "../vectors/load-vectors.ts";
import { runConformance } from "./run-conformance.ts";
import type { TestCase, VectorFile } from "../vectors/vector-file.ts";

/** Long rows take most of the time and find nothing that short ones do not, overflow and light entries aside. */
const LONGEST_ROW = 50;
/** Flags of long rows. */
const LONG: ReadonlySet<string> = new Set(["CoefficientOverflow", "LightAndHeavy"]);
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

  it("pass a port by light and heavy entries, which mutants spoil", async () => {
    const { failures, passed } = await runConformance(portOfSteps(bySplit({})), files, {
      dtypes: ["float64"],
      functions: ["smooth_topk_loss"],
    });
    expect({ failures, passed }).toEqual({ failures: [], passed: true });
  });

  it.each(mutants)("find $name", async ({ steps, foundBy }) => {
    const long = foundBy.filter((flag) => LONG.has(flag));
    const { passed, failures } = await runConformance(portOfSteps(steps), long.length > 0 ? files : shortFiles, {
      dtypes: ["float64"],
      filter: long.length > 0 ? new RegExp(long.join("|")) : undefined,
    });
    expect(passed).toBe(false);
    const found = new Set(failures.flatMap(({ flags }) => flags));
    expect(foundBy.filter((flag) => !found.has(flag))).toEqual([]);
  });
});
