import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const conditions = ["@smooth-topk/source"];
const deep = process.env.SMOOTH_TOPK_DEEP === "1";

/** Tests run against the sources of every package, found by the export condition @smooth-topk/source. */
const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["src/**/*.test.ts"],
    exclude: ["src/**/*.browser.test.ts", ...(deep ? [] : ["src/**/*.deep.test.ts"])],
    setupFiles: [fileURLToPath(new URL("./vitest.setup.ts", import.meta.url))],
    testTimeout: deep ? 1_800_000 : 120_000,
    maxWorkers: 2,
  },
});
export default config;
