import { mergeConfig, type ViteUserConfig } from "vitest/config";
import base from "../../vitest.base.ts";

/** Tests run in processes of their own with a garbage collector to call: memory.test.ts measures the heap. */
const config: ViteUserConfig = mergeConfig(base, { test: { pool: "forks", execArgv: ["--expose-gc"] } });
export default config;
