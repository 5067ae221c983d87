import { defineConfig } from "vitest/config";
import { findChromium } from "./scripts/chromium.mjs";
import { browserProject } from "./vitest.browser.ts";

const chromium = findChromium();

export default defineConfig({
  test: {
    projects: [
      "packages/*",
      "tools/*",
      "ports",
      "bench",
      ...(chromium === undefined ? [] : [browserProject(chromium)]),
    ],
  },
});
