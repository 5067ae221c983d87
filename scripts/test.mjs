/**
 * Runs the tests of every package in one vitest process and ends with a line `N passed, N failed`.
 *
 * --deep adds the long runs (*.deep.test.ts); other arguments go to vitest.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const deep = process.argv.includes("--deep");
const rest = process.argv.slice(2).filter((argument) => argument !== "--deep");
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
  { stdio: "inherit", env: { ...process.env, FC_SEED: seed, SMOOTH_TOPK_DEEP: deep ? "1" : "0" } },
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
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
