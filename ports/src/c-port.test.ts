/**
 * The C port builds without warnings, passes the conformance kit under the sanitizers, and speaks the protocol as its
 * schema has it. Skipped where there is no make or no cc.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const path = (to: string): string => fileURLToPath(new URL(to, import.meta.url));
const FOLDER = path("../c");
const CLI = path("../../tools/cli/bin/smooth-topk.js");
const hasTools = ["make", "cc"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
if (!hasTools) console.log("the tests of ports/c: skipped, no make or no cc");

describe.skipIf(!hasTools)("ports/c", () => {
  it.each(["serve", "serve-sanitized"])("%s passes every case of the vectors", { timeout: 120_000 }, (program) => {
    execFileSync("make", ["-C", FOLDER, program], { stdio: "pipe" });
    const { stdout } = spawnSync(process.execPath, [CLI, "conformance", "--json", "--", `${FOLDER}/${program}`], {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    const { passed, failures, port, groups } = JSON.parse(stdout) as {
      passed: boolean;
      failures: unknown[];
      port: unknown;
      groups: { status: string; dtype: string }[];
    };
    expect({ passed, failures }).toEqual({ passed: true, failures: [] });
    expect(port).toMatchObject({ language: "C99", dtypes: ["float64", "float32"] });
    expect(groups.filter(({ status }) => status === "not offered").map(({ dtype }) => dtype)).toEqual(
      new Array(4).fill("bfloat16"),
    );
  });
});
