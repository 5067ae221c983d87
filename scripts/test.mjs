/**
 * Runs the tests of every package in one vitest process and ends with a line `N passed, N failed[, N skipped]`.
 *
 * Tests named *.browser.test.ts run in Chromium; where there is none they are skipped, with a line that says so. WebGPU
 * in Node runs on the software adapter that Debian's Chromium brings, or on what VK_ICD_FILENAMES names. With
 * SMOOTH_TOPK_ALL_MODES=1 what is missing is a failure.
 *
 * --deep adds the long runs (*.deep.test.ts). --gpu runs the GPU backend's tests alone, on this machine's own GPU.
 * Other arguments go to vitest.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromium, softwareVulkan } from "./chromium.mjs";

const deep = process.argv.includes("--deep");
const gpu = process.argv.includes("--gpu");
const rest = process.argv.slice(2).filter((argument) => !["--deep", "--gpu"].includes(argument));
if (gpu) rest.push("--project=@smooth-topk/esym-gpu", "packages/esym-gpu/src/webgpu.test.ts");
const seed = process.env.FC_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
console.log(`property tests: FC_SEED=${seed} repeats this run's cases`);

const folder = mkdtempSync(join(tmpdir(), "smooth-topk-test-"));
const report = join(folder, "report.json");
const run = spawnSync(
  process.execPath,
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...rest,
  ],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      ...(gpu ? { SMOOTH_TOPK_GPU: "1" } : softwareVulkan()),
      FC_SEED: seed,
      SMOOTH_TOPK_DEEP: deep ? "1" : "0",
    },
  },
);
let counts = { passed: 0, failed: 0, skipped: 0 };
try {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  // A file that fails outside its tests (it does not load, say) has no failed test, and counts as one.
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = testResults;
  const broken = files.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((assertion) => assertion.status !== "failed"),
  );
  counts = { passed: numPassedTests, failed: numFailedTests + broken.length, skipped: numPendingTests };
} catch {
  console.error("vitest wrote no report");
}
// What belongs to no file: no tests found, an unhandled rejection, a crash.
if (run.status !== 0 && counts.failed === 0) counts.failed = 1;
rmSync(folder, { recursive: true });
if (findChromium() === undefined && rest.length === 0) {
  const files = readdirSync("packages", { recursive: true, encoding: "utf8" }).filter((file) =>
    /^[^/]+\/src\/.*\.browser\.test\.ts$/.test(file),
  );
  const outcome = process.env.SMOOTH_TOPK_ALL_MODES === "1" ? "failed" : "skipped";
  console.log(`${outcome}: ${files.join(", ")}: need Chromium, which is not installed (CHROMIUM=path names one)`);
  counts[outcome] += files.length;
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
