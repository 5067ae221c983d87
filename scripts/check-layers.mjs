/**
 * Checks the layers: which package may import which, in its sources, its tests and its manifest.
 *
 * Sources import along the arrows below; tests may also import the oracle (@smooth-topk/conformance), the runner of
 * documented examples (@smooth-topk/doc-examples) and their own package by name. A relative import never leaves its package, and another package is entered through its exports only.
 * What a source imports from outside has to be a dependency in its manifest, which knip checks. Prints one line for each
 * breach; the exit status is 1 if there is one.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

const scope = "@smooth-topk/";
const libraries = ["esym", "grad", "esym-gpu", "esym-wasm", "loss", "conformance"];

/** @type {Record<string, string[]>} folder -> the packages it may import */
const arrows = {
  "packages/esym": [],
  "packages/grad": ["esym"],
  "packages/esym-gpu": ["esym"],
  "packages/esym-wasm": ["esym"],
  "packages/loss": ["esym", "grad"],
  "packages/tfjs": [],
  "packages/conformance": [],
  "tools/array-files": [],
  "tools/train": [...libraries, "array-files"],
  "tools/fuzz": [...libraries, "array-files"],
  "tools/cli": [...libraries, "array-files", "train"],
};
/** What tests of every package may import besides; what one package alone may is in `inTests`. */
const forTests = ["conformance", "doc-examples"];
/** @type {Record<string, string[]>} */
const inTests = { "packages/tfjs": ["loss"] };
/** @type {Record<string, string[]>} folder -> all that it may import from outside, where that is limited */
const outside = {
  "packages/esym": ["ndarray"],
  "packages/grad": ["ndarray"],
  "packages/esym-gpu": ["gpu.js", "webgpu"],
  "packages/esym-wasm": ["ndarray"],
  "packages/tfjs": ["@tensorflow/tfjs-core"],
};

/** @type {string[]} */
const breaches = [];
/** @type {(folder: string) => string[]} */
const workspaces = (folder) => readdirSync(folder).map((name) => `${folder}/${name}`);
const folders = [...workspaces("packages"), ...workspaces("tools"), "ports", "bench"].filter((f) =>
  existsSync(`${f}/package.json`),
);

for (const folder of folders) {
  const allowed = arrows[folder] ?? (folder.startsWith("packages/") ? undefined : libraries);
  if (allowed === undefined) {
    breaches.push(`${folder}: no arrows are known for this package, expected an entry in scripts/check-layers.mjs`);
    continue;
  }
  checkManifest(folder, allowed);
  for (const file of sourceFiles(folder)) {
    for (const { line, specifier } of imports(file)) {
      const breach = isTest(file)
        ? breachOf(folder, file, specifier, [...allowed, ...forTests, ...(inTests[folder] ?? []), basename(folder)])
        : (breachOf(folder, file, specifier, allowed) ?? breachOutside(folder, specifier));
      if (breach !== undefined) breaches.push(`${file}:${line}: imports "${specifier}": ${breach}`);
    }
  }
}

for (const breach of breaches) console.error(breach);
console.log(`layers: ${folders.length} packages, ${breaches.length} breaches`);
process.exitCode = breaches.length > 0 ? 1 : 0;

/** @param {string} folder @param {string[]} allowed */
function checkManifest(folder, allowed) {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const ours = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies })
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length));
  for (const name of ours.filter((dependency) => !allowed.includes(dependency))) {
    breaches.push(`${folder}/package.json: depends on "${scope}${name}": ${expected(folder, allowed)}`);
  }
  const foreign = Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith(scope));
  for (const name of foreign) {
    const breach = breachOutside(folder, name);
    if (breach !== undefined) breaches.push(`${folder}/package.json: depends on "${name}": ${breach}`);
  }
}

/** @param {string} folder @param {string} file @param {string} specifier @param {string[]} allowed */
function breachOf(folder, file, specifier, allowed) {
  if (specifier.startsWith(".")) {
    const target = relative(folder, resolve(dirname(file), specifier));
    if (target.startsWith("..")) return "a relative import must stay in its package";
    return target.startsWith("testing/") && !isTest(file) ? "testing/ serves tests only" : undefined;
  }
  if (!specifier.startsWith(scope)) return undefined;
  const [name, ...path] = specifier.slice(scope.length).split("/");
  if (["src", "dist"].includes(path[0])) return "a package is entered through its exports";
  return allowed.includes(name) ? undefined : expected(folder, allowed);
}

/** @param {string} folder @param {string} specifier */
function breachOutside(folder, specifier) {
  if (specifier.startsWith(".") || specifier.startsWith(scope)) return undefined;
  const limit = outside[folder];
  return limit === undefined || limit.includes(specifier) ? undefined : `${folder} may import only ${limit.join(", ")}`;
}

/** @param {string} folder @param {string[]} allowed */
function expected(folder, allowed) {
  return `${folder} may import ${allowed.length === 0 ? "none of our packages" : allowed.map((name) => scope + name).join(", ")}`;
}

/** @param {string} folder @returns {string[]} */
function sourceFiles(folder) {
  return ["src", "testing"]
    .map((part) => join(folder, part))
    .filter((part) => existsSync(part))
    .flatMap((part) => readdirSync(part, { recursive: true, encoding: "utf8" }).map((name) => join(part, name)))
    .filter((file) => /\.m?[jt]s$/.test(file));
}

/** Files beside the sources in testing/ serve tests only. @param {string} file */
function isTest(file) {
  return /\.test(-d)?\.ts$|\/testing\//.test(file);
}

/**
 * Every module that a file names: import and export statements, import(), types written import("...").
 *
 * @param {string} file
 */
function imports(file) {
  const text = readFileSync(file, "utf8");
  /** @type {{ line: number, specifier: string }[]} */
  const found = [];
  /** @param {{ type: string, value?: unknown, start: number } | null} source */
  const add = (source) => {
    if (source?.type === "Literal" && typeof source.value === "string") {
      found.push({ line: text.slice(0, source.start).split("\n").length, specifier: source.value });
    }
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
  }).visit(parseSync(file, text).program);
  return found;
}
