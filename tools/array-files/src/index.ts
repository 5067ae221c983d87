export type { ArraySource } from "./array-source.ts";
export { BadInput, systemReason } from "./bad-input.ts";
export { createNpy, type NpyWriter } from "./npy-writer.ts";
export { openArray, openLabels, openScores } from "./open-array.ts";
export { safetensorsBytes, type TensorToWrite } from "./safetensors-writer.ts";
export { removeUnfinished, writeWhole } from "./unfinished.ts";
