/** A report as text for a terminal. */
import type { GroupSummary, Report, ResultSummary } from "./conformance-report.ts";
import { formatU } from "./judge.ts";
import type { Level } from "./verdict.ts";

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
  const silent = silence(report);
  if (silent !== undefined) return `${silent}\nFAIL: nothing was judged\n`;
  const advice = [...levelLines(report), ...adviceLines(report)];
  return [...introduction(report), ...lines, ...failureLines(report), ...advice, "", verdict(report), ""].join("\n");
}

/** Who the port says that it is. */
function introduction({ port }: Report): string[] {
  return port === null ? [] : [`${[port.name, port.version].join(" ").trim()} (${port.language})`, ""];
}

/** One line for a port that never answered. */
function silence({ groups, failures }: Report): string | undefined {
  const isSilent =
    failures.length > 0 && groups.every(({ status, cases, failed }) => status === "fail" && cases === failed);
  const dead = failures.every(({ failure }) => ["crash", "timeout", "not-run"].includes(failure));
  return isSilent && dead ? `the port answered nothing: ${failures[0].reason}` : undefined;
}

/** How far a function is that is not within the contract. */
function levelLines({ groups }: Report): string[] {
  const below = groups.filter(({ status, level }) => status === "fail" && level !== null);
  if (below.length === 0) return [];
  return [
    "",
    ...below.map(({ function: name, dtype, level }) => `${name} in ${dtype} is ${explained[level as Level]}`),
  ];
}

const explained: Readonly<Record<Level, string>> = {
  wrong: "wrong: some results are not fit to train with",
  trainable: "trainable: losses to 1e-5 and gradients to 1e-3 of the row's largest in every valid case",
  "single precision": "right to single precision in every valid case",
  exact: "exact",
};

function adviceLines({ likelyMistake, firstStep }: Report): string[] {
  const lines: string[] = [];
  if (likelyMistake !== null) {
    const { name, both, either } = likelyMistake;
    lines.push(`it fails the cases that a port with this mistake fails (${both} of ${either}): ${name}`);
  }
  if (firstStep !== null) {
    const { flag, step } = firstStep;
    lines.push(
      `start with: --functions smooth_topk_loss --dtype float64 --filter ${flag} (step ${step} of docs/porting.md)`,
    );
  }
  return lines;
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
