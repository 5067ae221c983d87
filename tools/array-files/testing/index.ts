export { npyBytes, npyFile, safetensorsBytes, safetensorsFile, type WrittenType } from "./array-files.ts";
export { temporaryFolder } from "./temporary-folder.ts";
