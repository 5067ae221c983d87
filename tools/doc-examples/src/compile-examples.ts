/**
 * Compiles examples as a user's project would: TypeScript, `strict`, against the packages' own types.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

const configuration = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023", "dom"],
    types: [],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    customConditions: ["@smooth-topk/source"],
  },
};

/** What the compiler says of the examples, in its own words; empty if they are right. */
export function compileExamples(codes: readonly string[]): string {
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "doc-examples-"));
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    // A module of its own each: names may repeat.
    codes.forEach((code, at) => writeFileSync(join(folder, `example-${at + 1}.ts`), `${code}\nexport {};\n`));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", folder],
      { encoding: "utf8" },
    );
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
