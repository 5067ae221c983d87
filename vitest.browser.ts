import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import type { TestProjectInlineConfiguration } from "vitest/config";

/** WebGPU and WebGL2 on the software adapter, and no calls home. The sandbox refuses to run as root. */
const FLAGS = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-unsafe-swiftshader",
  "--no-sandbox",
  "--no-first-run",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The tests named *.browser.test.ts, of every package, in one headless Chromium. */
export function browserProject(chromium: string): TestProjectInlineConfiguration {
  return {
    resolve: { conditions: ["@smooth-topk/source"] },
    // WebAssembly threads share memory, which a page may do only when it is isolated from other origins.
    server: {
      headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    },
    // Bundled before the run: a package that Vite meets during it reloads the page, and the tests with it.
    optimizeDeps: {
      include: [
        "ndarray",
        "fast-check",
        "gmp-wasm",
        "gpu.js",
        "@tensorflow/tfjs-core",
        "@tensorflow/tfjs-layers",
        "@tensorflow/tfjs-backend-webgl",
        "@tensorflow/tfjs-backend-webgpu",
      ],
    },
    test: {
      name: "chromium",
      root: fileURLToPath(new URL(".", import.meta.url)),
      include: ["packages/*/src/**/*.browser.test.ts"],
      setupFiles: ["vitest.setup.ts"],
      testTimeout: process.env.SMOOTH_TOPK_DEEP === "1" ? 1_800_000 : 120_000,
      // As in vitest.base.ts: projects that run side by side must agree on it.
      maxWorkers: 2,
      // A page has no process.env; what the setup reads of it comes as import.meta.env.
      env: Object.fromEntries(
        ["FC_SEED", "FC_RUNS", "SMOOTH_TOPK_DEEP"].flatMap((name) => {
          const value = process.env[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      browser: {
        enabled: true,
        headless: true,
        ui: false,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath: chromium, args: FLAGS } }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}
