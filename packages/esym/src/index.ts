export { cpuBackend, type EspBackend } from "./backend.ts";
export type { ArrayLike2d, Dtype } from "./border.ts";
export { inclusionProbabilities, logEspHvp, logEspRatio, logEspVjp, type RatioAndGrad } from "./derivatives.ts";
export { type Algorithm, ALGORITHMS, logEsp, type LogEspOptions } from "./log-esp.ts";
export { emptyPartial, type EspPartial, logEspOfPartial, mergePartials } from "./partials.ts";
export type { Random, SubsetSampler } from "./one-order/subset-tree.ts";
export { espPartial, logEspVjpOfShard } from "./shards.ts";
export { subsetSampler } from "./subset-sampler.ts";
