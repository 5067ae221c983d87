import { fileURLToPath } from "node:url";
import type { Report } from "@smooth-topk/conformance/runner";
import { describe, expect, it } from "vitest";
import { smoothTopk } from "../testing/spawn-cli.ts";

const SELF = [process.execPath, fileURLToPath(new URL("../bin/smooth-topk.js", import.meta.url)), "stdio"];

describe("smooth-topk conformance", () => {
  it("passes this implementation, in every function and precision", () => {
    const { status, stdout, stderr } = smoothTopk(["conformance", "--json", "--", ...SELF]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as Report;
    expect(report.passed).toBe(true);
    expect(report.failures).toEqual([]);
    expect(report.groups.length).toBe(4 * 3);
    for (const { status: verdict, differing, results } of report.groups) {
      expect({ verdict, differing }).toEqual({ verdict: "pass", differing: 0 });
      for (const { values } of results) expect(values).toBeGreaterThan(0);
    }
  });

  it("prints a table, and its verdict in the last line", () => {
    const { status, stdout } = smoothTopk([
      "conformance",
      "--dtype",
      "float64",
      "--filter",
      "PaperFormula",
      "--",
      ...SELF,
    ]);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^function +dtype +result +cases +failed +median +worst +allowed +at +status$/);
    expect(lines[1]).toMatch(/^smooth_topk_loss +float64 +loss +30 +0 .* pass$/);
    expect(lines.at(-1)).toMatch(/^PASS: (\d+) of \1 cases within tolerance/);
  });

  it("fails a port that answers nonsense, with status 1", () => {
    const port =
      'process.stdin.on("data", (lines) => { for (const _ of String(lines).split("\\n")) console.log("{}"); })';
    const { status, stdout } = smoothTopk(["conformance", "--filter", "Typical", "--", process.execPath, "-e", port]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAIL: 0 of \d+ cases/m);
  });

  it.each([
    ["no command", ["conformance"], /missing required argument 'command'/],
    ["no such command", ["conformance", "--", "no-such-program"], /cannot start no-such-program/],
    [
      "an unknown precision",
      ["conformance", "--dtype", "int8", "--", "x"],
      /--dtype .*int8.*float64, float32, bfloat16/,
    ],
    ["a broken pattern", ["conformance", "--filter", "(", "--", "x"], /--filter: .*Unterminated group/],
    ["a time-out of 0", ["conformance", "--timeout", "0", "--", "x"], /--timeout: 0 is not a number of seconds > 0/],
  ])("refuses %s with status 2 and one line", (_, args, message) => {
    const { status, stdout, stderr } = smoothTopk(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});
