export { type ExperimentOptions, runExperiment, type Watcher } from "./experiment/experiment.ts";
export { LOSSES, type LossBackend, type LossName } from "./training/trained-loss.ts";
export { type ModelName, MODELS } from "./training/model.ts";
export { resultTable } from "./report/table.ts";
export { verdict } from "./report/verdict.ts";
export type { Results } from "./report/summary.ts";
