/** A report as JUnit's XML, which CI systems read: a suite for each function and precision, a test for each case. */
import type { CaseOutcome } from "./conformance-report.ts";
import type { Run } from "./run-conformance.ts";

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text in XML; control characters, which XML cannot hold, become spaces. */
function escaped(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text.replaceAll(/[&<>"]/g, (c) => ESCAPES[c]).replaceAll(/[\u0000-\u001f]/g, " ");
}

function testCase(outcome: CaseOutcome, isOffered: boolean): string {
  const { case: test, function: name, dtype, passed, reason } = outcome;
  const head = `    <testcase classname="${name}.${dtype}" name="${escaped(test.id)}"`;
  if (!isOffered) return `${head}><skipped message="not offered"/></testcase>`;
  if (passed) return `${head}/>`;
  if (test.result === "acceptable") return `${head}><skipped message="${escaped(`differs: ${reason}`)}"/></testcase>`;
  return `${head}><failure message="${escaped(reason)}">${escaped(test.comment)}</failure></testcase>`;
}

export function junitReport({ groups, outcomes, seconds, version }: Run): string {
  const suites = groups.map(({ function: name, dtype, status, cases, failed }) => {
    const isOffered = status !== "not offered";
    const own = outcomes.filter((outcome) => outcome.function === name && outcome.dtype === dtype);
    const counts = `tests="${cases}" failures="${failed}" skipped="${isOffered ? 0 : cases}"`;
    return [
      `  <testsuite name="${name} ${dtype}" ${counts}>`,
      ...own.map((outcome) => testCase(outcome, isOffered)),
      "  </testsuite>",
    ].join("\n");
  });
  const all = `name="smooth-topk conformance, vectors ${escaped(version)}" time="${seconds.toFixed(3)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${all}>\n${suites.join("\n")}\n</testsuites>\n`;
}
