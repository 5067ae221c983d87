export type { ReductionOption } from "./border.ts";
export { hardTopk, type LossOrMetric, smoothTopk, topkAccuracy } from "./layers.ts";
export { smoothTopkLoss, type SmoothTopkOptions, type WeightedOptions } from "./smooth-topk-loss.ts";
export { topkHits } from "./topk-accuracy.ts";
export { topkLoss } from "./topk-loss.ts";
