/**
 * The test vectors of ports, sent to this command on the backends of esym-gpu: some 340 cases, each of a shape to compile.
 */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { smoothTopk } from "../testing/spawn-cli.ts";

const BIN = fileURLToPath(new URL("../bin/smooth-topk.js", import.meta.url));
const noAdapter = process.env["VK_ICD_FILENAMES"] === undefined;
if (noAdapter) console.log("skipped: the test vectors on webgpu: VK_ICD_FILENAMES names no software adapter");

interface Report {
  readonly failures: readonly { reason: string }[];
  readonly groups: readonly { function: string; cases: number; failed: number; status: string }[];
}

/** All within tolerance, and two cases refused: k above the backend's 200, and n and k beyond single precision. */
function expectConformance(backend: string): void {
  const judge = ["conformance", "--json", "--dtype", "float32", "--timeout", "120", "--"];
  const { stdout } = smoothTopk(judge.concat(process.execPath, BIN, "stdio", "--backend", backend));
  const { failures, groups } = JSON.parse(stdout) as Report;
  expect(failures.length).toBe(2);
  for (const { reason } of failures) {
    expect(reason).toMatch(
      /^refused valid input: "k = (500 is not supported on a GPU|200 of n = 400 .* leaves the range)/,
    );
  }
  const offered = groups.filter(({ status }) => status !== "not offered");
  expect(offered.map(({ function: name, failed }) => [name, failed])).toEqual([
    ["smooth_topk_loss", 2],
    ["log_esp", 0],
  ]);
  for (const { cases } of offered) expect(cases).toBeGreaterThan(100);
}

it("webasm passes the test vectors in single precision", () => {
  expectConformance("webasm");
});

it.skipIf(noAdapter)("webgpu passes the test vectors in single precision", () => {
  expectConformance("webgpu");
});
