export type {
  CaseOutcome,
  FailedCase,
  GroupSummary,
  Report,
  ResultSummary,
  Status,
  Worst,
} from "./runner/conformance-report.ts";
export { type CounterExample, fuzz, type FuzzOptions, type FuzzRun } from "./runner/fuzz.ts";
export { describePort, type PortDescription } from "./runner/description.ts";
export { junitReport } from "./runner/junit-report.ts";
export type { LikelyMistake } from "./runner/likely-mistake.ts";
export type { Level } from "./runner/verdict.ts";
export { loadVectors } from "./vectors/load-vectors.ts";
export {
  type AnyRequest,
  type DescribeRequest,
  type Failure,
  type Port,
  portOf,
  type Reply,
  type Request,
} from "./runner/port.ts";
export { CannotStart, PortProcess, type ProcessOptions } from "./runner/port-process.ts";
export { reportPage } from "./runner/report-page.ts";
export { reportTable } from "./runner/report-table.ts";
export { type ConformanceOptions, type Run, runConformance } from "./runner/run-conformance.ts";
