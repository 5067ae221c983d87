/** A report as text for a terminal. */
import type { GroupSummary, Report, ResultSummary } from "./conformance-report.ts";
import { formatU } from "./judge.ts";

const MOST_FAILURES = 20;

/** The table by function, precision and result, the failures, and the verdict in the last line. */
export function reportTable(report: Report): string {
  const rows = [
    ["function", "dtype", "result", "cases", "failed", "median", "worst", "allowed", "at", "status"],
    ...report.groups.flatMap(groupRows),
  ];
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  const isNumber = (c: number): boolean => c >= 3 && c <= 7;
  const lines = rows.map((row) =>
    row
      .map((cell, c) => (isNumber(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...failureLines(report), "", verdict(report), ""].join("\n");
}

function groupRows(group: GroupSummary): string[][] {
  const { function: name, dtype, status, cases, failed, results } = group;
  if (status === "not offered") return [[name, dtype, "", String(cases), "", "", "", "", "", status]];
  return results.map((result, at) =>
    at === 0
      ? rowOf(name, dtype, numbers(result, String(cases), String(failed)), status)
      : rowOf("", "", numbers(result, "", ""), ""),
  );
}

function rowOf(name: string, dtype: string, cells: readonly string[], status: string): string[] {
  return [name, dtype, ...cells, status];
}

function numbers({ result, values, median, worst }: ResultSummary, cases: string, failed: string): string[] {
  if (worst === null || values === 0) return [result, cases, failed, "", "", "", ""];
  return [result, cases, failed, formatU(median), formatU(worst.error), formatU(worst.allowed), worst.case];
}

function failureLines({ failures }: Report): string[] {
  if (failures.length === 0) return [];
  const shown = failures.slice(0, MOST_FAILURES).map(({ id, dtype, failure, reason }) => {
    const kind = failure === "wrong" ? "" : `${failure}: `;
    return `  ${id} (${dtype}): ${kind}${reason}`;
  });
  const more = failures.length - shown.length;
  return ["", "failed:", ...shown, ...(more > 0 ? [`  and ${more} more (--json has all)`] : [])];
}

function verdict({ groups, failures, version, seconds, passed }: Report): string {
  const offered = groups.filter(({ status }) => status !== "not offered");
  const cases = offered.reduce((sum, group) => sum + group.cases, 0);
  const differing = offered.reduce((sum, group) => sum + group.differing, 0);
  if (cases === 0) return "FAIL: nothing was judged";
  const aside = differing > 0 ? `, ${differing} acceptable differences` : "";
  return (
    `${passed ? "PASS" : "FAIL"}: ${cases - failures.length - differing} of ${cases} cases within tolerance${aside} ` +
    `(vectors ${version}, ${seconds.toFixed(1)} s; u = 2^-53, 2^-24, 2^-8)`
  );
}
