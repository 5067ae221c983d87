export { type ArraySource, type Numbers } from "./array-source.ts";
export { BadInput, systemReason } from "./bad-input.ts";
export { LABEL_KINDS, type LabelKind } from "./class-labels.ts";
export type { CsvOptions } from "./csv-head.ts";
export { jsonDepth, type JsonMember, jsonMembers } from "./json-members.ts";
export { createNpy, type NpyWriter } from "./npy-writer.ts";
export {
  type ArraySpec,
  openArray,
  openLabels,
  type OpenOptions,
  openScores,
  openVector,
  parseSpec,
} from "./open-array.ts";
export { checkOutputs, type Output } from "./outputs.ts";
export { isAlive } from "./process-alive.ts";
export { openRegular, type RegularFile } from "./regular-file.ts";
export { safetensorsBytes, type TensorToWrite } from "./safetensors-writer.ts";
export { removeUnfinished, writeWhole } from "./unfinished.ts";
export { openZip, type OpenZip, type ZipMember } from "./zip-members.ts";
