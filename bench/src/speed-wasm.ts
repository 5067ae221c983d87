/**
 * Times @smooth-topk/esym-wasm against PyTorch's cross-entropy and TypeScript: `node bench/dist/speed-wasm.js [PYTHON]`.
 *
 * Processes of ours and of PyTorch take turns. Writes bench/results/wasm.json and prints the table of docs/wasm.md.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, type ProcessCase, significant } from "./between-processes.ts";
import { machine } from "./machine.ts";
import { median } from "./quantiles.ts";
import { WASM_CASES } from "./speed-wasm-cases.ts";

const PROCESSES = 3;
const SECONDS = 0.8;
const [python = "python3"] = process.argv.slice(2);
const ours = fileURLToPath(new URL("speed-wasm-process.js", import.meta.url));
const theirs = fileURLToPath(new URL("../cross_entropy.py", import.meta.url));

/** PyTorch's milliseconds, or null where the interpreter has no torch. */
function crossEntropyOfTorch(batch: number, n: number): number | null {
  try {
    const text = execFileSync(python, [theirs, String(batch), String(n), "float32", "0.4"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(text);
  } catch {
    return null;
  }
}

const processes: ProcessCase[][] = [];
const torch: (number | null)[][] = [];
for (let p = 0; p < PROCESSES; p++) {
  torch.push(WASM_CASES.map(({ batch, n }) => crossEntropyOfTorch(batch, n)));
  processes.push(
    JSON.parse(execFileSync(process.execPath, [ours, String(SECONDS)], { encoding: "utf8" })) as ProcessCase[],
  );
}
const cases = join(processes);
const pytorch = WASM_CASES.map((_, c) => {
  const found = torch.map((round) => round[c]).filter((ms) => ms !== null);
  return found.length > 0 ? significant(median(found)) : null;
});
const results = {
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  processes: PROCESSES,
  pytorch,
  cases,
};
writeFileSync(new URL("../results/wasm.json", import.meta.url), `${JSON.stringify(results, null, 2)}\n`);

const short = (value: number): string => value.toPrecision(3);
console.log(
  "| batch, n, k | precision | PyTorch cross-entropy | cross-entropy | smooth top-k | to PyTorch | to cross-entropy | to TypeScript | copied | two threads |",
);
console.log(`|${" --- |".repeat(10)}`);
for (const [c, { parameters, timings }] of cases.entries()) {
  const ms = (name: string): number => timings.find((timing) => timing.name === name)?.ms ?? NaN;
  const smooth = ms("smooth top-k");
  const reference = parameters.dtype === "float32" ? pytorch[c >> 1] : null;
  const cells = [
    `${parameters.batch}, ${parameters.n}, ${parameters.k}`,
    parameters.dtype,
    reference === null ? "" : short(reference),
    short(ms("cross-entropy")),
    short(smooth),
    reference === null ? "" : short(smooth / reference),
    short(smooth / ms("cross-entropy")),
    short(smooth / ms("TypeScript smooth top-k")),
    short(ms("smooth top-k, copied") / smooth),
    short(ms("smooth top-k, two threads") / smooth),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
