export { type ExperimentOptions, type Results, runExperiment, type Watcher } from "./experiment.ts";
export { LOSSES, type LossBackend, type LossName } from "./loss.ts";
export { type ModelName, MODELS } from "./model.ts";
export { resultTable } from "./table.ts";
export { verdict } from "./verdict.ts";
