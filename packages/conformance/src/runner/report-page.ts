/** A report as a page of its own: no scripts, nothing fetched. */
import type { CaseOutcome, FailedCase, GroupSummary, ResultSummary } from "./conformance-report.ts";
import { histogramOf } from "./error-histogram.ts";
import { histogramSvg } from "./histogram-svg.ts";
import { formatU } from "./judge.ts";
import type { Run } from "./run-conformance.ts";
import type { FunctionName } from "../vectors/vector-file.ts";

const MOST_FAILURES = 200;

const titles: Readonly<Record<FunctionName, string>> = {
  smooth_topk_loss: "the smooth top-k loss and its gradient",
  topk_loss: "the hard top-k loss and its subgradient",
  log_esp: "elementary symmetric polynomials and inclusion probabilities",
  log_esp_hvp: "Hessian of log sigma_k times a vector",
};

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #68707b; --line: #d5dae1; --paper: #ffffff; --card: #f7f8fa;
  --within: #3f6fb5; --exact: #8fb0dd; --beyond: #c8382b; --zone: #c8382b14; --pass: #1a7f45; --fail: #c8382b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --dim: #98a2af; --line: #363d47; --paper: #14171b;
  --card: #1c2026; --within: #6c9fe6; --exact: #43628f; --beyond: #f0685b; --zone: #f0685b1c; --pass: #4cc17c; --fail: #f0685b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 32px 28px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Liberation Sans", sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 36px 0 2px; }
code, .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.9em; }
.dim { color: var(--dim); } .verdict { font-weight: 700; letter-spacing: 0.04em; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .not-offered { color: var(--dim); }
.row { display: grid; grid-template-columns: 118px 1fr; gap: 16px; border-top: 1px solid var(--line); padding: 12px 0; }
.panels { display: flex; flex-wrap: wrap; gap: 14px; }
figure { margin: 0; flex: 1 1 400px; max-width: 530px; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 10px 10px 4px; }
figcaption { font-size: 13px; } figcaption .dim { font-size: 12px; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; margin-top: 4px; } svg text { font-size: 9.5px; fill: var(--dim); }
.within { fill: var(--within); } .exact { fill: var(--exact); } .beyond { fill: var(--beyond); } .zone { fill: var(--zone); }
.axis, .tick { stroke: var(--line); } .bound { stroke: var(--beyond); stroke-dasharray: 3 2; }
table { border-collapse: collapse; width: 100%; font-size: 13px; } td, th { text-align: left; vertical-align: top;
  padding: 5px 12px 5px 0; border-top: 1px solid var(--line); } td.reason { overflow-wrap: anywhere; } td.mono { white-space: nowrap; }
`;

/** @param command  what was judged, as the page names it. */
export function reportPage(run: Run, command: string): string {
  const judged = run.groups.filter(({ status }) => status !== "not offered");
  const cases = judged.reduce((sum, group) => sum + group.cases, 0);
  const verdict = run.passed ? "pass" : "fail";
  const functions = [...new Set(run.groups.map((group) => group.function))];
  return [
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${verdict.toUpperCase()}: ${escape(command)}</title><style>${style}</style></head><body>`,
    `<h1><span class="verdict ${verdict}">${verdict.toUpperCase()}</span> <code>${escape(command)}</code></h1>`,
    `<p class="dim">${cases - run.failures.length} of ${cases} cases within tolerance, by the test vectors of smooth top-k losses, `,
    `version ${escape(run.version)}. Each panel shows the errors of all values of a result as fractions of what the contract `,
    "allows; the red zone is beyond it. u is 2<sup>-53</sup> in float64, 2<sup>-24</sup> in float32, 2<sup>-8</sup> in bfloat16.</p>",
    ...functions.map((name) => section(run, name)),
    failureTable(run.failures),
    "</body></html>\n",
  ].join("\n");
}

function section(run: Run, name: FunctionName): string {
  const groups = run.groups.filter((group) => group.function === name);
  const rows = groups.map((group) => {
    const outcomes = run.outcomes.filter((outcome) => outcome.function === name && outcome.dtype === group.dtype);
    return groupRow(group, outcomes);
  });
  return `<h2><code>${name}</code></h2><div class="dim">${titles[name]}</div>\n${rows.join("\n")}`;
}

function groupRow(group: GroupSummary, outcomes: readonly CaseOutcome[]): string {
  const { dtype, status, cases, failed } = group;
  const count = status === "not offered" ? `${cases} cases refused` : `${cases - failed} of ${cases} cases`;
  const panels =
    status === "not offered" ? [] : group.results.map((result) => panel(result, outcomes, `${dtype} ${result.result}`));
  return (
    `<div class="row"><div><b>${dtype}</b><br><span class="${status.replace(" ", "-")}">${status}</span>` +
    `<br><span class="dim">${count}</span></div><div class="panels">${panels.join("")}</div></div>`
  );
}

function panel(summary: ResultSummary, outcomes: readonly CaseOutcome[], label: string): string {
  const { result, values, median, worst } = summary;
  if (worst === null) return `<figure><figcaption><b>${result}</b>: nothing to judge</figcaption></figure>`;
  const errors = outcomes
    .filter((outcome) => outcome.case.result !== "acceptable")
    .flatMap((outcome) => outcome.errors.filter((error) => error.result === result));
  return (
    `<figure><figcaption><b>${result}</b> · ${values} values · median ${formatU(median)} · worst ${formatU(worst.error)} ` +
    `of ${formatU(worst.allowed)}<br><span class="dim">worst at</span> <span class="dim mono">${escape(worst.case)}</span>` +
    `</figcaption>` +
    `${histogramSvg(histogramOf(errors), escape(label))}</figure>`
  );
}

function failureTable(failures: readonly FailedCase[]): string {
  if (failures.length === 0) return "";
  const rows = failures
    .slice(0, MOST_FAILURES)
    .map(
      ({ id, dtype, flags, failure, reason }) =>
        `<tr><td class="mono">${escape(id)}</td><td>${dtype}</td><td>${failure}</td><td class="reason">${escape(reason)}</td>` +
        `<td class="dim">${escape(flags.join(", "))}</td></tr>`,
    );
  const more = failures.length - rows.length;
  return (
    `<h2>${failures.length} failed</h2><table><tr><th>case</th><th>dtype</th><th>kind</th><th>reason</th><th>flags</th></tr>` +
    `${rows.join("\n")}</table>${more > 0 ? `<p class="dim">and ${more} more</p>` : ""}`
  );
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
