export { cpuBackend, type EspBackend, type SyncEspBackend } from "./backend.ts";
export type { ArrayLike2d, Dtype } from "./border.ts";
export { inclusionProbabilities } from "./inclusion-probabilities.ts";
export { logEspHvp } from "./log-esp-hvp.ts";
export {
  logEspRatio,
  type LogEspRatioOptions,
  type Ratio,
  type RatioAndGrad,
  type RowWeight,
} from "./log-esp-ratio.ts";
export { type Algorithm, ALGORITHMS, logEsp, type LogEspOptions } from "./log-esp.ts";
export { logEspVjp } from "./log-esp-vjp.ts";
export { emptyPartial, type EspPartial, logEspOfPartial, mergePartials } from "./partials.ts";
export type { Random, SubsetSampler } from "./one-order/subset-tree.ts";
export { espPartial, logEspVjpOfShard } from "./shards.ts";
export { subsetSampler } from "./subset-sampler.ts";
