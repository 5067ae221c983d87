/**
 * Compiles assembly/ and writes it as text into src/module-text.ts: part of `npm run build`.
 *
 * One binary serves one thread and several: a memory may be shared where a flag of its import says so, and the place of
 * that byte is written beside the text.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "src", "module-text.ts");

/** Limits with a maximum, not shared: what precedes the two page counts in the import of env.memory. */
const LIMITS = 1;
/** The first bytes of the memory are the threads' control words. */
const MEMORY_BASE = 1024;
const PAGES = 65536;

/** @type {Map<string, Uint8Array>} */
const written = new Map();
/** @type {string[]} */
const messages = [];
const { error } = await main(
  [
    "assembly/index.ts",
    "--outFile=kernels.wasm",
    "-O3",
    "--enable=simd",
    "--runtime=stub",
    "--noAssert",
    "--importMemory",
    "--initialMemory=1",
    `--maximumMemory=${PAGES}`,
    `--memoryBase=${MEMORY_BASE}`,
  ],
  {
    readFile: (name, baseDir) => {
      try {
        return readFileSync(join(here, baseDir, name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => {
      written.set(name, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
    },
    listFiles: () => [],
    stderr: { write: (/** @type {string} */ text) => messages.push(text) },
  },
);
if (error !== null) {
  console.error(messages.join(""));
  throw error;
}
const binary = written.get("kernels.wasm");
if (binary === undefined) throw new Error("the compiler has written no kernels.wasm");

writeFileSync(
  target,
  `/** Written by compile.mjs from assembly/. */
export const MODULE_TEXT: string =
  "${Buffer.from(binary).toString("base64")}";
/** The byte that says whether the memory is shared: 1 for no, 3 for yes. */
export const MEMORY_FLAG_AT: number = ${memoryFlagAt(binary)};
`,
);

/**
 * Where the import of env.memory has its flag: after the two names and the kind, 2 for a memory.
 *
 * @param {Uint8Array} bytes
 */
function memoryFlagAt(bytes) {
  const name = new TextEncoder().encode("\u0003env\u0006memory\u0002");
  const at = Buffer.from(bytes).indexOf(name);
  const flag = at + name.length;
  if (at < 0 || bytes[flag] !== LIMITS) throw new Error("the import of env.memory is not where it was expected");
  return flag;
}
