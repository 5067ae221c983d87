import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "@smooth-topk/conformance/runner";
import { describe, expect, it } from "vitest";
import { smoothTopk, temporaryFolder } from "../testing/spawn-cli.ts";

const SELF = [process.execPath, fileURLToPath(new URL("../bin/smooth-topk.js", import.meta.url)), "stdio"];

/** This implementation, with every number of a loss off by 1e-7 of itself. */
const ROUGH = `
const child = require("node:child_process").spawn(process.execPath, ${JSON.stringify(SELF.slice(1))});
process.stdin.pipe(child.stdin);
const rough = (value) => (typeof value === "number" ? value * (1 + 1e-7) : value);
require("node:readline").createInterface({ input: child.stdout }).on("line", (line) => {
  const { id, output, error } = JSON.parse(line);
  const { loss, grad } = output ?? {};
  console.log(JSON.stringify(loss ? { id, output: { loss: loss.map(rough), grad } } : { id, output, error }));
});`;

const folder = temporaryFolder();

describe("smooth-topk conformance", () => {
  it("passes this implementation, in every function and precision", () => {
    const { status, stdout, stderr } = smoothTopk(["conformance", "--json", "--", ...SELF]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as Report;
    expect(report.passed).toBe(true);
    expect(report.failures).toEqual([]);
    expect(report.groups.length).toBe(4 * 3);
    for (const { status: verdict, results } of report.groups) {
      expect(verdict).toBe("pass");
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
    expect(lines[0]).toMatch(/^smooth-topk stdio --backend cpu [\d.]+ \(TypeScript\)$/);
    expect(lines[2]).toMatch(/^function +dtype +result +cases +failed +median +worst +allowed +at +status$/);
    expect(lines[3]).toMatch(/^smooth_topk_loss +float64 +loss +30 +0 .* pass$/);
    expect(lines.at(-1)).toMatch(/^PASS: (\d+) of \1 cases within tolerance/);
  });

  it("fails a port that answers nonsense, with status 1", () => {
    const port =
      'process.stdin.on("data", (lines) => { for (const _ of String(lines).split("\\n")) console.log("{}"); })';
    const { status, stdout } = smoothTopk(["conformance", "--filter", "Typical", "--", process.execPath, "-e", port]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^FAIL: 0 of \d+ cases/m);
  });

  it("draws new cases with --fuzz, the same again for the same --seed", () => {
    const draw = (seed: string): { status: number | null; stderr: string; table: string } => {
      const args = ["conformance", "--fuzz", "12", "--seed", seed, "--dtype", "float64", "--", ...SELF];
      const { status, stdout, stderr } = smoothTopk(args);
      return { status, stderr, table: stdout.replace(/, \d+\.\d s;/, "") };
    };
    const once = draw("5");
    expect(once).toMatchObject({ status: 0, stderr: "smooth-topk: --seed 5 draws these cases again\n" });
    expect(once.table).toMatch(/^PASS: 12 of 12 cases/m);
    expect(draw("5")).toEqual(once);
  });

  it("prints a shrunk counter-example of --fuzz as a vector", () => {
    const port =
      'require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => ' +
      "console.log(JSON.stringify({ id: JSON.parse(line).id, output: { log_sigma: [[0]], inclusion: [[1]] } })))";
    const args = [
      "conformance",
      "--fuzz",
      "3",
      "--seed",
      "1",
      "--filter",
      "log_esp-paper",
      "--",
      process.execPath,
      "-e",
      port,
    ];
    const { status, stdout } = smoothTopk(args);
    expect(status).toBe(1);
    const [, reason, text] =
      /^counter-example in \w+, the smallest of \d+ tried: (.*)\n\n(\{.*\})\n$/ms.exec(stdout) ?? [];
    expect(reason).toMatch(/^log_sigma/);
    expect(JSON.parse(text)).toMatchObject({
      result: "valid",
      input: { k: 1 },
      digits: { inclusion: [[expect.any(String)]] },
    });
  });

  it("asks only the functions that are named, and no others count", () => {
    const args = ["conformance", "--json", "--functions", "topk_loss", "log_esp", "--dtype", "float64", "--", ...SELF];
    const { status, stdout } = smoothTopk(args);
    expect(status).toBe(0);
    const { groups, port } = JSON.parse(stdout) as Report;
    expect(groups.map(({ function: name, level }) => [name, level])).toEqual([
      ["topk_loss", "exact"],
      ["log_esp", "exact"],
    ]);
    expect(port).toMatchObject({ language: "TypeScript" });
  });

  it("judges by a bar of one's own with --rtol and --atol, and writes JUnit's XML", () => {
    const file = join(folder, "junit.xml");
    const judge = (...bar: string[]): { status: number | null; xml: string; report: Report } => {
      const cases = ["--functions", "smooth_topk_loss", "--dtype", "float64", "--filter", "PaperFormula"];
      const args = ["conformance", "--json", ...bar, ...cases, "--junit", file, "--", process.execPath, "-e", ROUGH];
      const { status, stdout } = smoothTopk(args);
      return { status, xml: readFileSync(file, "utf8"), report: JSON.parse(stdout) as Report };
    };
    const strict = judge();
    expect(strict.status).toBe(1);
    const [group] = strict.report.groups;
    expect(group).toMatchObject({ status: "fail", level: "single precision" });
    expect(strict.xml.match(/<testcase /g)?.length).toBe(group.cases);
    expect(strict.xml.match(/<failure message="/g)?.length).toBe(group.failed);
    expect(strict.xml).toContain(`<testsuite name="smooth_topk_loss float64" tests="${group.cases}"`);
    const loose = judge("--rtol", "1e-6");
    expect(loose).toMatchObject({ status: 0, report: { passed: true, failures: [] } });
    expect(loose.xml).not.toContain("<failure");
    expect(judge("--rtol", "1e-8").status).toBe(1);
    expect(judge("--rtol", "1e-8", "--atol", "1").status).toBe(0);
  });

  it("writes a page with --html", () => {
    const page = join(folder, "report.html");
    expect(smoothTopk(["conformance", "--html", page, "--filter", "Typical", "--", ...SELF]).status).toBe(0);
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>[^]*<svg [^]*<\/html>\n$/);
    const lost = smoothTopk([
      "conformance",
      "--html",
      join(folder, "none", "x.html"),
      "--filter",
      "Typical",
      "--",
      ...SELF,
    ]);
    expect(lost).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--html: .*x\.html: no such file/) as string,
    });
  });

  it.each([
    ["a seed without cases", ["conformance", "--seed", "1", "--", "x"], /--seed: is of --fuzz, which is missing/],
    ["half a case", ["conformance", "--fuzz", "0.5", "--", "x"], /--fuzz: 0\.5 is not an integer >= 1/],
    ["no command", ["conformance"], /missing required argument 'command'/],
    ["no such command", ["conformance", "--", "no-such-program"], /cannot start no-such-program/],
    [
      "an unknown precision",
      ["conformance", "--dtype", "int8", "--", "x"],
      /--dtype .*int8.*float64, float32, bfloat16/,
    ],
    ["a broken pattern", ["conformance", "--filter", "(", "--", "x"], /--filter: .*Unterminated group/],
    ["a function that is none", ["conformance", "--functions", "sigma", "--", "x"], /--functions .*sigma.*topk_loss/],
    ["a negative bar", ["conformance", "--rtol=-1", "--", "x"], /--rtol: -1 is not a number >= 0/],
    ["a time-out of 0", ["conformance", "--timeout", "0", "--", "x"], /--timeout: 0 is not a number of seconds > 0/],
  ])("refuses %s with status 2 and one line", (_, args, message) => {
    const { status, stdout, stderr } = smoothTopk(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });
});
