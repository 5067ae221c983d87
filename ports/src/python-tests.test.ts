/**
 * The Python tests of the modules: each is one test here.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ALL_MODES, type Environment, environments, portPath, missingModules } from "./python.ts";

interface Result {
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly detail: string;
}

/** Runs the tests of the module. Where that gives none, the reason is the one failure. */
async function run({ module, python, variables }: Environment): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "smooth-topk-python-"));
  const lines = join(folder, "tests.jsonl");
  const files = readdirSync(portPath("python/tests")).filter((file) => file.startsWith(`test_${module}`));
  try {
    const output = await promisify(execFile)(
      python,
      ["-m", "pytest", "-q", "-p", "no:cacheprovider", `--json-lines=${lines}`, ...files],
      { cwd: portPath("python/tests"), maxBuffer: 2 ** 26, env: variables },
    ).catch((error: unknown) => ({ stdout: String(error), stderr: "" }));
    const results = existsSync(lines)
      ? readFileSync(lines, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as Result)
      : [];
    if (results.length > 0) return results;
    return [{ name: "runs", status: "failed", detail: `no test was run: ${output.stdout}${output.stderr}` }];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const found = environments("the Python tests", "pytest");
for (const environment of found) {
  // They run before any of them is told, because they name themselves.
  const results = await run(environment);
  describe(`ports/python: ${environment.name}`, () => {
    it.for(results)("$name", ({ status, detail }, context) => {
      if (status === "skipped") context.skip(detail);
      expect({ status, detail }).toEqual({ status: "passed", detail: "" });
    });
  });
}

it.skipIf(!ALL_MODES && missingModules(found).length > 0)("every module is tested", () => {
  expect(missingModules(found)).toEqual([]);
});
