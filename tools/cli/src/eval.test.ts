import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { crossEntropy, smoothTopkLossValueAndGrad, topkAccuracy, topkLoss } from "@smooth-topk/loss";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { npyFile, safetensorsFile } from "@smooth-topk/array-files/testing";
import { smoothTopk, temporaryFolder } from "../testing/spawn-cli.ts";
import { evaluate } from "./evaluate.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

const generator = xoroshiro128plus(7);
const batch = 37;
const n = 11;
const rows = Array.from({ length: batch }, () => Array.from({ length: n }, () => 8 * uniformFloat64(generator) - 4));
const labels = rows.map(() => Math.floor(n * uniformFloat64(generator)));
writeFileSync(path("scores.npy"), npyFile(rows.flat(), [batch, n]));
writeFileSync(path("labels.npy"), npyFile(labels, [batch], { type: "int64" }));
const files = ["--scores", path("scores.npy"), "--labels", path("labels.npy")];

/** The values of a float64 .npy file that this command wrote. */
function readNpy(file: string): { header: string; values: Float64Array } {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  expect(start % 64).toBe(0);
  return {
    header: bytes.toString("latin1", 10, start),
    values: new Float64Array(Uint8Array.from(bytes.subarray(start)).buffer),
  };
}

describe("smooth-topk eval", () => {
  it("prints one JSON object with the keys of the interface and the numbers of the library", () => {
    const { status, stdout, stderr } = smoothTopk([
      "eval",
      ...files,
      "--k",
      "3",
      "--tau",
      "0.5",
      "--alpha",
      "2",
      "--json",
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.trimEnd()).not.toContain("\n");
    const result = JSON.parse(stdout) as Record<string, number>;
    expect(Object.keys(result)).toEqual([
      "loss",
      "top1",
      "topk",
      "k",
      "tau",
      "alpha",
      "n",
      "batch",
      "backend",
      "seconds",
    ]);
    expect(result).toMatchObject({ k: 3, tau: 0.5, alpha: 2, n, batch, backend: "cpu" });
    expect(result["loss"]).toBe(smoothTopkLossValueAndGrad(rows, labels, { k: 3, tau: 0.5, alpha: 2 }).value);
    expect(result["top1"]).toBe(topkAccuracy(rows, labels, { k: 1 }));
    expect(result["topk"]).toBe(topkAccuracy(rows, labels, { k: 3 }));
  });

  it.each([
    ["topk", topkLoss(rows, labels)],
    ["cross-entropy", crossEntropy(rows, labels)],
    ["smooth-topk", smoothTopkLossValueAndGrad(rows, labels).value],
  ])("--loss %s is that loss, with k = 5, tau = 1, alpha = 1 by default", (loss, expected) => {
    const { stdout } = smoothTopk(["eval", ...files, "--loss", loss, "--json"]);
    expect((JSON.parse(stdout) as { loss: number }).loss).toBe(expected);
  });

  it("says in words what each number is", () => {
    const { stdout } = smoothTopk(["eval", ...files]);
    expect(stdout).toMatch(/^loss .* mean smooth top-k loss \(k = 5, tau = 1, alpha = 1\)$/m);
    expect(stdout).toMatch(/^top-1 accuracy +\d+\.\d\d % /m);
    expect(stdout).toMatch(/^top-5 accuracy +\d+\.\d\d % /m);
    expect(stdout).toMatch(/^samples +37 +of 11 classes each/m);
  });

  it("--grad is the gradient of the printed loss, --per-sample the losses", () => {
    for (const reduction of ["mean", "sum"] as const) {
      const out = ["--grad", path("g.npy"), "--per-sample", path("p.npy"), "--force"];
      expect(smoothTopk(["eval", ...files, ...out, "--reduction", reduction]).status).toBe(0);
      const each = smoothTopkLossValueAndGrad(rows, labels, { reduction: "none" });
      const grad = readNpy(path("g.npy"));
      expect(grad.header).toMatch(/^\{'descr': '<f8', 'fortran_order': False, 'shape': \(37, 11\), \} *\n$/);
      const scale = reduction === "mean" ? 1 / batch : 1;
      expect([...grad.values]).toEqual([...each.grad.data].map((g) => g * scale));
      const losses = readNpy(path("p.npy"));
      expect(losses.header).toContain("'shape': (37,)");
      expect([...losses.values]).toEqual([...each.value]);
    }
  });

  it("gives the same numbers whatever the size of the blocks", async () => {
    const options = {
      scores: path("scores.npy"),
      labels: path("labels.npy"),
      k: [5],
      tau: 1,
      alpha: 1,
      loss: "smooth-topk",
      reduction: "mean",
      backend: "cpu",
    } as const;
    const { seconds: _, ...whole } = await evaluate(options);
    for (const blockBytes of [1, 8 * n, 300, 8 * n * 10]) {
      const { seconds: __, ...result } = await evaluate({ ...options, blockBytes });
      expect(result).toEqual(whole);
    }
  });

  it("reads .safetensors and .csv alike", () => {
    writeFileSync(
      path("both.safetensors"),
      safetensorsFile({
        logits: { values: rows.flat(), shape: [batch, n], type: "float64" },
        y: { values: labels, shape: [batch], type: "int32" },
      }),
    );
    writeFileSync(path("scores.csv"), rows.map((row) => row.join(",")).join("\n"));
    writeFileSync(path("labels.csv"), ["label", ...labels].join("\n"));
    const expected = (JSON.parse(smoothTopk(["eval", ...files, "--json"]).stdout) as { loss: number }).loss;
    const both = path("both.safetensors");
    for (const [s, y] of [
      [`${both}:logits`, `${both}:y`],
      [path("scores.csv"), path("labels.csv")],
    ]) {
      const { stdout } = smoothTopk(["eval", "--scores", s, "--labels", y, "--json"]);
      expect((JSON.parse(stdout) as { loss: number }).loss).toBe(expected);
    }
  });
});

describe("help", () => {
  it("is what no arguments give, and names the commands", () => {
    const { status, stdout } = smoothTopk([]);
    expect(status).toBe(0);
    expect(stdout).toContain("eval");
    expect(stdout).toContain("stdio");
    expect(smoothTopk(["eval", "--help"]).stdout).toContain("--per-sample");
  });
});

// The system's python3, where Debian's numpy is, need not be the first on the path.
const python = ["python3", "/usr/bin/python3"].find((name) => spawnSync(name, ["-c", "import numpy"]).status === 0);
if (python === undefined) {
  console.log(
    "exchange of .npy files with NumPy: skipped, no python3 with numpy (Debian: apt-get install python3-numpy)",
  );
}

describe.skipIf(python === undefined)("files of NumPy itself", () => {
  it("are read, and ours are read by it", () => {
    const script = `
import numpy as np, sys
folder = sys.argv[1]
s = np.load(folder + "/scores.npy")
np.save(folder + "/np32.npy", s.astype(np.float32))
np.save(folder + "/np16f.npy", np.asfortranarray(s.astype(">f2")))
np.save(folder + "/npl.npy", np.load(folder + "/labels.npy").astype(">i4"))
np.savetxt(folder + "/np.csv", s, delimiter=",", fmt="%.17g")
g = np.load(folder + "/g.npy")
print(g.dtype, g.shape, g.flags["C_CONTIGUOUS"], abs(g.sum(axis=1)).max() < 1e-15)
`;
    expect(smoothTopk(["eval", ...files, "--grad", path("g.npy"), "--force"]).status).toBe(0);
    const { stdout, stderr } = spawnSync(python as string, ["-c", script, folder], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "float64 (37, 11) True True\n", stderr: "" });
    const loss = (...args: string[]): number =>
      (JSON.parse(smoothTopk(["eval", "--json", ...args]).stdout) as { loss: number }).loss;
    const exact = loss(...files);
    expect(loss("--scores", path("np.csv"), "--labels", path("npl.npy"))).toBe(exact);
    // Scores of at most 4 in size rounded to 24 and to 11 bits: the loss moves by no more than the largest score does, over k.
    expect(Math.abs(loss("--scores", path("np32.npy"), "--labels", path("npl.npy")) - exact)).toBeLessThan(
      2 * 4 * 2 ** -24,
    );
    expect(Math.abs(loss("--scores", path("np16f.npy"), "--labels", path("npl.npy")) - exact)).toBeLessThan(
      2 * 4 * 2 ** -11,
    );
  });
});
