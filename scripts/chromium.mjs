/**
 * The Chromium of this machine: the browser that tests run in, and the software Vulkan driver (SwiftShader) that Debian
 * packs with it, by which WebGPU runs in Node without a GPU.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const LIBRARIES = ["/usr/lib/chromium", "/usr/lib/chromium-browser"];

/**
 * Path of Chromium, which the variable CHROMIUM overrides; undefined where there is none.
 *
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env.CHROMIUM;
  if (named !== undefined && !existsSync(named)) throw new Error(`CHROMIUM is ${named}, which is not there`);
  return named ?? PLACES.find((path) => existsSync(path));
}

/**
 * The variables with which Vulkan finds SwiftShader, to be set before the process starts: the loader reads
 * LD_LIBRARY_PATH once. Empty where the user has chosen a driver, or Chromium brings none.
 *
 * @returns {Record<string, string>}
 */
export function softwareVulkan() {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES, LD_LIBRARY_PATH } = process.env;
  if (VK_ICD_FILENAMES !== undefined || VK_DRIVER_FILES !== undefined) return {};
  const folder = LIBRARIES.find((path) => existsSync(join(path, "vk_swiftshader_icd.json")));
  if (folder === undefined) return {};
  return {
    VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    // last, so that a Vulkan loader of the system comes first
    LD_LIBRARY_PATH: [...(LD_LIBRARY_PATH === undefined ? [] : [LD_LIBRARY_PATH]), folder].join(delimiter),
  };
}
