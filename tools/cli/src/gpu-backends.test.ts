/**
 * The command on the backends of esym-gpu: which one ran, its numbers within its contract, and what is refused.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inclusionProbabilities, logEsp } from "@smooth-topk/esym";
import { describe, expect, it } from "vitest";
import { smoothTopk, temporaryFolder } from "../testing/spawn-cli.ts";

const { VK_ICD_FILENAMES, SMOOTH_TOPK_ALL_MODES } = process.env;
const noAdapter = VK_ICD_FILENAMES === undefined && SMOOTH_TOPK_ALL_MODES !== "1";
if (noAdapter) console.log("skipped: the command on webgpu: VK_ICD_FILENAMES names no software adapter");

const folder = temporaryFolder();
const sample = (name: string): string => fileURLToPath(new URL(`../sample/${name}`, import.meta.url));
const files = ["--scores", sample("scores.npy"), "--labels", sample("labels.npy")];

/** What eval prints and the gradient that it writes. */
function evaluate(
  backend: string,
  extra: readonly string[] = [],
): { result: Record<string, unknown>; grad: Float64Array } {
  const out = join(folder, `${backend}.npy`);
  const args = ["eval", ...files, "--backend", backend, "--json", "--reduction", "sum", "--grad", out, "--force"];
  const { status, stdout, stderr } = smoothTopk(args.concat(extra));
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const bytes = readFileSync(out);
  const data = bytes.subarray(10 + bytes.readUInt16LE(8));
  return {
    result: JSON.parse(stdout) as Record<string, unknown>,
    grad: new Float64Array(Uint8Array.from(data).buffer),
  };
}

/** The contract of single precision: 1e-5 of the loss, 1e-3 of each gradient entry and 1e-5 of the row's largest. */
function expectContract(backend: string, extra: readonly string[] = []): Record<string, unknown> {
  const expected = evaluate("cpu", extra);
  const actual = evaluate(backend, extra);
  expect(actual.result).toMatchObject({ backend, n: 20, batch: 64 });
  for (const key of ["top1", "topk", "k", "tau", "alpha"]) expect(actual.result[key]).toBe(expected.result[key]);
  const loss = expected.result["loss"] as number;
  expect(Math.abs((actual.result["loss"] as number) - loss)).toBeLessThanOrEqual(1e-5 * loss);
  for (let row = 0; row < 64; row++) {
    const entries = expected.grad.subarray(20 * row, 20 * row + 20);
    const largest = Math.max(...entries.map(Math.abs));
    entries.forEach((entry, i) => {
      const off = Math.abs(actual.grad[20 * row + i] - entry);
      expect(off).toBeLessThanOrEqual(Math.max(1e-30, Math.min(1e-3 * Math.abs(entry), 1e-5 * largest)));
    });
  }
  return actual.result;
}

describe("smooth-topk on webasm", () => {
  it("gives the loss and the gradient of the cpu, within the contract of single precision", () => {
    expectContract("webasm", ["--k", "3", "--tau", "0.5", "--alpha", "2"]);
  });

  it("gives the cross-entropy", () => {
    expectContract("webasm", ["--loss", "cross-entropy"]);
  });

  it("gives the hard loss", () => {
    expectContract("webasm", ["--loss", "topk", "--k", "3"]);
  });

  it("serves the protocol in single precision, and no other", () => {
    const x = [0.5, -1, 2];
    const request = { function: "log_esp", input: { x: [x], k: 2 } };
    const lines = [
      { id: 1, ...request, dtype: "float32" },
      { id: 2, ...request },
      { id: 3, ...request, dtype: "float64" },
      { id: 4, function: "topk_loss", dtype: "float32", input: { scores: [x], labels: [0], k: 1 } },
    ];
    const { status, stdout } = smoothTopk(
      ["stdio", "--backend", "webasm"],
      lines.map((line) => JSON.stringify(line)).join("\n"),
    );
    expect(status).toBe(0);
    const [first, second, refused, hard] = stdout
      .trimEnd()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            output?: { log_sigma: number[][]; inclusion: number[][]; loss?: number[] };
            error?: string;
          },
      );
    // log sigma within 64 u max(1, |value|), u = 2^-24; inclusion probabilities within 1e-5 of the largest, which is at most 1.
    const logSigma = logEsp(x, 2).data;
    const inclusion = inclusionProbabilities(x, 2).data;
    first.output?.log_sigma[0].forEach((value, j) => {
      expect(Math.abs(value - logSigma[j])).toBeLessThanOrEqual(64 * 2 ** -24 * Math.max(1, Math.abs(logSigma[j])));
    });
    first.output?.inclusion[0].forEach((value, i) => {
      expect(Math.abs(value - inclusion[i])).toBeLessThanOrEqual(1e-5);
    });
    expect(first.output?.log_sigma[0]).toHaveLength(3);
    expect(first.output?.inclusion[0]).toHaveLength(3);
    expect(second.output).toEqual(first.output);
    expect(refused.error).toBe('dtype is "float64", expected float32: webasm computes in single precision');
    // max(0, 1 + 2 - 0.5), exact
    expect(hard.output?.loss).toEqual([2.5]);
  });
});

describe("smooth-topk on webgpu", () => {
  it.skipIf(noAdapter)("names the software adapter that ran; --backend gpu refuses it", () => {
    expect(expectContract("webgpu")["device"]).toMatch(/./);
    const { status, stdout, stderr } = smoothTopk(["eval", ...files, "--backend", "gpu"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /^smooth-topk: --backend: gpu is not available: the only adapter is .*, which computes on the CPU\n$/,
    );
  });

  it.each(["webgpu", "gpu"])(
    "--backend %s without a driver is an error in one line, and nothing runs in its place",
    (name) => {
      const noDriver = { VK_ICD_FILENAMES: join(folder, "no-driver.json") };
      for (const command of [["eval", ...files], ["stdio"]]) {
        expect(smoothTopk([...command, "--backend", name], "", noDriver)).toEqual({
          status: 2,
          stdout: "",
          stderr: `smooth-topk: --backend: ${name} is not available: no adapter answers: the system has no Vulkan driver for a GPU\n`,
        });
      }
    },
  );
});

it("the GPU's packages do not load for the cpu", () => {
  const script = `
    import { createRequire } from "node:module";
    import { evaluate } from ${JSON.stringify(new URL("../dist/evaluate.js", import.meta.url).href)};
    const { cache } = createRequire(import.meta.url);
    for (const backend of ["cpu", "webasm"]) {
      await evaluate({ scores: ${JSON.stringify(files[1])}, labels: ${JSON.stringify(files[3])}, k: [1], tau: 1, alpha: 1,
        loss: "smooth-topk", reduction: "mean", backend });
      console.log(backend, Object.keys(cache).some((file) => file.includes("gpu.js")));
    }`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(stdout).toBe("cpu false\nwebasm true\n");
});
