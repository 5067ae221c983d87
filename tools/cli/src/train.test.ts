import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { npyFile, temporaryFolder } from "@smooth-topk/array-files/testing";
import { describe, expect, it } from "vitest";
import { BIN, smoothTopk } from "../testing/spawn-cli.ts";

const folder = temporaryFolder();
/** 2 seeds x 2 noises x 2 losses x 2 candidates: 16 runs of a fraction of a second. */
const small = (out: string): string[] =>
  ["train", "--loss", "cross-entropy,smooth-topk", "--noise", "0,1", "--seeds", "2", "--tau", "1"].concat([
    "--learning-rate",
    "0.02,0.1",
    "--epochs",
    "1",
    "--fraction",
    "0.5",
    "--hidden",
    "8",
    "--out",
    join(folder, out),
  ]);
const RUNS = 16;

interface Line {
  id: string;
  seconds: number;
  validation: { topk: number };
  test: { top1: number; topk: number };
  curves: { loss: number[] };
}
interface Results {
  experiment: { backend: string };
  complete: boolean;
  runs: (Line & { chosen: boolean; commit: string | null })[];
  summary: { loss: string; noise: number; chosen: string[]; topk: { mean: number } }[];
}
const lines = (out: string): Line[] => {
  const path = join(folder, out, "runs.jsonl");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
};
const results = (out: string): Results =>
  JSON.parse(readFileSync(join(folder, out, "results.json"), "utf8")) as Results;
const timeless = (runs: readonly Line[]): unknown[] => runs.map((run) => ({ ...run, seconds: 0 }));

/** Starts a training and sends it a signal once it has finished a number of runs. */
async function interrupted(out: string, runs: number, signal: NodeJS.Signals): Promise<number | null> {
  const child: ChildProcess = spawn(process.execPath, [BIN, ...small(out)], { stdio: "ignore" });
  const exit = once(child, "exit") as Promise<[number | null]>;
  while (child.exitCode === null && lines(out).length < runs) await wait(5);
  child.kill(signal);
  return (await exit)[0];
}

describe("smooth-topk train", () => {
  const whole = smoothTopk(small("whole"));

  it("trains every combination once and writes results.json, report.html and a table", () => {
    expect(whole.status).toBe(0);
    const { complete, runs, summary } = results("whole");
    expect(complete).toBe(true);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(RUNS);
    expect(runs.filter(({ chosen }) => chosen).length).toBe(RUNS / 2);
    expect(summary.map(({ loss, noise }) => [noise, loss])).toEqual([
      [0, "cross-entropy"],
      [0, "smooth-topk"],
      [1, "cross-entropy"],
      [1, "smooth-topk"],
    ]);
    for (const { chosen, topk } of summary) {
      const test = chosen.map((id) => runs.find((run) => run.id === id)?.test.topk ?? NaN);
      expect(topk.mean).toBe((test[0] + test[1]) / 2);
      expect(whole.stdout).toContain((100 * topk.mean).toFixed(1));
    }
    expect(readFileSync(join(folder, "whole", "report.html"), "utf8")).toContain("</html>");
    expect(readdirSync(join(folder, "whole")).toSorted()).toEqual([
      "experiment.json",
      "report.html",
      "results.json",
      "runs.jsonl",
    ]);
  });

  it("killed again and again, loses no finished run, repeats none and comes out the same to the last bit", async () => {
    for (const runs of [1, 4, 5, 11]) {
      const before = lines("killed");
      await interrupted("killed", Math.max(runs, before.length), "SIGKILL");
      const after = lines("killed");
      expect(after.slice(0, before.length)).toEqual(before);
      expect(after.length).toBeLessThan(RUNS);
    }
    const { status, stderr } = smoothTopk(small("killed"));
    expect(status).toBe(0);
    expect(timeless(lines("killed"))).toEqual(timeless(lines("whole")));
    // The last command trained only what was missing.
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(RUNS - 11);
  });

  it("interrupted by Ctrl-C, ends with status 130 and a valid results.json, and goes on from there", async () => {
    expect(await interrupted("stopped", 5, "SIGINT")).toBe(130);
    const { complete, runs } = results("stopped");
    expect(complete).toBe(false);
    expect(runs.length).toBeGreaterThanOrEqual(5);
    expect(runs.length).toBeLessThan(RUNS);
    expect(readFileSync(join(folder, "stopped", "report.html"), "utf8")).toContain("Unfinished");
    expect(smoothTopk(small("stopped")).status).toBe(0);
    expect(timeless(lines("stopped"))).toEqual(timeless(lines("whole")));
    expect(results("stopped").complete).toBe(true);
  });

  it("with --save keeps the chosen models, whose test scores eval counts as results.json does", () => {
    // The runs are there already: the models come from the same training again.
    const before = readFileSync(join(folder, "whole", "runs.jsonl"), "utf8");
    expect(smoothTopk([...small("whole"), "--save"]).status).toBe(0);
    expect(readFileSync(join(folder, "whole", "runs.jsonl"), "utf8")).toBe(before);
    const models = readdirSync(join(folder, "whole", "models"));
    const chosen = results("whole").runs.filter((run) => run.chosen);
    expect(models.length).toBe(chosen.length);
    for (const run of chosen) {
      const [, loss, noise, fraction, seed] = /^(\S+) noise=(\S+) fraction=(\S+) seed=(\S+)/.exec(run.id) ?? [];
      const file = join(
        folder,
        "whole",
        "models",
        `${loss}-noise-${noise}-fraction-${fraction}-seed-${seed}.safetensors`,
      );
      const { stdout } = smoothTopk([
        "eval",
        "--scores",
        `${file}:test_scores`,
        "--labels",
        `${file}:test_labels`,
        "--json",
      ]);
      expect(JSON.parse(stdout)).toMatchObject(run.test);
    }
  });

  it("adds other noises to a folder, and refuses other settings in it", () => {
    const more = small("added").with(4, "0");
    expect(smoothTopk(more).status).toBe(0);
    expect(lines("added").length).toBe(RUNS / 2);
    expect(smoothTopk(small("added")).status).toBe(0);
    expect(lines("added").length).toBe(RUNS);
    expect(smoothTopk([...small("added"), "--k", "3"])).toMatchObject({
      status: 2,
      stdout: "",
      stderr: `smooth-topk: --out: ${join(folder, "added")} holds runs with k 5, these have 3: name another folder\n`,
    });
  });

  it("draws a table from elsewhere beside its own", () => {
    const reference = join(folder, "reference.json");
    const rows = [0, 1].map((noise) => ({ loss: "cross-entropy", noise, top1: 0.25, topk: 0.5 }));
    writeFileSync(reference, JSON.stringify({ title: "Another set", source: "its table", k: 5, rows }));
    expect(smoothTopk([...small("whole"), "--reference", reference]).status).toBe(0);
    const page = readFileSync(join(folder, "whole", "report.html"), "utf8");
    expect(page).toContain("For comparison: Another set");
    expect(page).toContain("Source: its table");
  });

  it("refuses a folder in which another process writes, and takes over the lock of one that is gone", () => {
    writeFileSync(join(folder, "added", "lock"), String(process.pid));
    expect(smoothTopk(small("added"))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`process ${process.pid} is writing there`),
    });
    // No process has this number: it is above the largest that Linux gives.
    writeFileSync(join(folder, "added", "lock"), String(2 ** 22 + 1));
    expect(smoothTopk(small("added")).status).toBe(0);
    expect(existsSync(join(folder, "added", "lock"))).toBe(false);
  });

  it("computes the loss on the backend that was named, and says which in results.json", () => {
    const args = [...small("webasm"), "--backend", "webasm"].with(2, "smooth-topk").with(4, "0").with(6, "1");
    expect(smoothTopk(args).status).toBe(0);
    const { experiment, runs } = results("webasm");
    expect(experiment.backend).toBe("webasm");
    // The same runs as on cpu, in single precision: the accuracies come close, the losses are not the same to the bit.
    for (const run of runs) {
      const other = lines("whole").find(({ id }) => id === run.id) as Line;
      expect(Math.abs(run.curves.loss[0] - other.curves.loss[0])).toBeLessThan(1e-3);
      expect(run.curves.loss[0]).not.toBe(other.curves.loss[0]);
    }
    // The hard loss has a host path on every backend.
    expect(smoothTopk([...args, "--loss", "topk"]).status).toBe(0);
    expect(results("webasm").experiment.backend).toBe("webasm");
    expect(new Set(results("webasm").summary.map(({ loss }) => loss))).toContain("topk");
  });

  const features = join(folder, "x.npy");
  writeFileSync(
    features,
    npyFile(
      Array.from({ length: 40 }, (_, i) => i),
      [20, 2],
    ),
  );
  const labels = join(folder, "y.npy");
  writeFileSync(
    labels,
    npyFile(
      Array.from({ length: 20 }, (_, i) => i % 4),
      [20],
      { type: "int32" },
    ),
  );
  const inPercent = join(folder, "percent.json");
  const row = { loss: "cross-entropy", noise: 0, top1: 70, topk: 0.9 };
  writeFileSync(inPercent, JSON.stringify({ title: "t", source: "s", k: 5, rows: [row] }));
  const out = ["--out", join(folder, "refused")];
  it.each<[string, string[], RegExp]>([
    ["no --out", [], /required option '--out <folder>' not specified/],
    [
      "data that is not there",
      [...out, "--data", join(folder, "none")],
      /--data: .*none: no such file; expected synthetic, /,
    ],
    [
      "an unknown loss",
      [...out, "--loss", "hinge"],
      /--loss: hinge is unknown, expected one of cross-entropy, smooth-topk, topk$/,
    ],
    [
      "an unknown model",
      [...out, "--model", "resnet"],
      /--model: resnet is unknown, expected one of linear, mlp, conv$/,
    ],
    ["a noise above 1", [...out, "--noise", "0,1.5"], /--noise: "1.5", expected a number >= 0 and <= 1$/],
    ["a fraction of 0", [...out, "--fraction", "0"], /--fraction: "0", expected a number > 0 and <= 1$/],
    ["text for a number", [...out, "--tau", "1,hot"], /--tau: "hot", expected a number > 0$/],
    ["half an epoch", [...out, "--epochs", "0.5"], /--epochs: "0.5", expected an integer >= 1$/],
    [
      "k of all classes",
      [...out, "--data", features, "--labels", labels, "--k", "4"],
      /--k: k must be at most n - 1: got k = 4, n = 4 in .*x\.npy$/,
    ],
    [
      "images wanted of features",
      [...out, "--model", "conv"],
      /--model: conv takes images, and the samples of synthetic are lists of 24 features$/,
    ],
    [
      "a reference that is not there",
      [...out, "--reference", join(folder, "none.json")],
      /--reference: .*none\.json: no such file$/,
    ],
    [
      "a reference in per cent",
      [...out, "--reference", inPercent],
      /--reference: .*percent\.json: rows\[0\]\.top1 is 70, expected a number in \[0, 1\]$/,
    ],
    ["a backend that is not there", [...out, "--backend", "quantum"], /--backend: quantum is unknown/],
    ["a file for a folder", ["--out", features], /--out: .*x\.npy: /],
  ])("refuses %s with status 2 and one line", (_, options, message) => {
    const { status, stdout, stderr } = smoothTopk(["train", ...options]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });
});
