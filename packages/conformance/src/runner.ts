export type {
  CaseOutcome,
  FailedCase,
  GroupSummary,
  Report,
  ResultSummary,
  Status,
  Worst,
} from "./conformance-report.ts";
export { type CounterExample, fuzz, type FuzzOptions, type FuzzRun } from "./fuzz.ts";
export { loadVectors } from "./load-vectors.ts";
export { type Failure, type Port, portOf, type Reply, type Request } from "./port.ts";
export { CannotStart, PortProcess, type ProcessOptions } from "./port-process.ts";
export { reportPage } from "./report-page.ts";
export { reportTable } from "./report-table.ts";
export { type ConformanceOptions, type Run, runConformance } from "./run-conformance.ts";
