/**
 * The ports' own tests, written in Python: each is one test here.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { findPython, PORTS, type Port, portPath } from "./python.ts";

interface Result {
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly detail: string;
}

/** Runs the port's tests. Where that gives none, the reason is the one failure. */
async function run(port: Port, python: string): Promise<Result[]> {
  const failed = (detail: string): Result[] => [{ name: "runs", status: "failed", detail }];
  try {
    const { stdout, stderr } = await promisify(execFile)(
      python,
      [portPath("testing/report_tests.py"), portPath(port.name)],
      { maxBuffer: 2 ** 26, env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } },
    );
    const results = stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Result);
    return results.length > 0 ? results : failed(`no test was run: ${stderr}`);
  } catch (error) {
    return failed(String(error));
  }
}

for (const port of PORTS) {
  const python = findPython(port, "the Python tests");
  // They run before any of them is told, because they name themselves.
  const results: Result[] =
    python === undefined
      ? [{ name: "runs", status: "skipped", detail: `no python3 with ${port.module}` }]
      : await run(port, python);
  describe(`ports/${port.name}`, () => {
    it.for(results)("$name", ({ status, detail }, context) => {
      if (status === "skipped") context.skip(detail);
      expect({ status, detail }).toEqual({ status: "passed", detail: "" });
    });
  });
}
