/**
 * Mutation testing of the kernels: changes one operator, constant or condition at a time and looks whether a test notices.
 *
 * Mutants are drawn by a seed from all that the sources of esym and loss offer. Each is written into a copy of the
 * workspace, never into the checkout, and the tests that import the changed file run there until the first fails. Prints
 * one line for each mutant and a table of the survivors; the exit status is 1 if less than 90 % were killed.
 *
 *     npm run mutation -- [--count 300] [--seed 1] [--only packages/esym/src/one-order] [--workers 2]
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseSync, Visitor } from "oxc-parser";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    workers: { type: "string", default: String(Math.min(2, availableParallelism())) },
  },
});
const [count, seed, workers] = [values.count, values.seed, values.workers].map(Number);
/** A mutant that makes a loop endless is killed by the clock. */
const LIMIT = 180_000;
const LEAST_KILLED = 0.9;

/** What an operator becomes. @type {Record<string, string>} */
const SWAPS = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "**": "*",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "&&": "||",
  "||": "&&",
  "&": "|",
  ">>": "<<",
  "<<": ">>",
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "++": "--",
  "--": "++",
};

/** @typedef {{ file: string, start: number, end: number, text: string, was: string, line: number }} Mutant */

/** @type {string[]} */
const files = ["packages/esym/src", "packages/loss/src"]
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)))
  .filter((file) => file.endsWith(".ts") && !/\.(test|test-d|deep)\./.test(file) && file.startsWith(values.only))
  .sort();
const mutants = draw(files.flatMap(mutantsOf), count);
console.log(`mutation: ${mutants.length} mutants of ${files.length} files, seed ${seed}, ${workers} at a time`);

/** @type {{ mutant: Mutant, killed: boolean }[]} */
const outcomes = [];
const waiting = mutants.values();
await Promise.all(Array.from({ length: workers }, work));

const survivors = outcomes.filter(({ killed }) => !killed).map(({ mutant }) => mutant);
const share = 1 - survivors.length / outcomes.length;
console.log(`\n| survivor | was | became |\n| --- | --- | --- |`);
for (const { file, line, was, text } of survivors) console.log(`| ${file}:${line} | \`${was}\` | \`${text}\` |`);
console.log(`\nkilled ${outcomes.length - survivors.length} of ${outcomes.length}, ${(100 * share).toFixed(1)} %`);
process.exitCode = share >= LEAST_KILLED ? 0 : 1;

/** One copy of the workspace, and mutants in it one after the other. */
async function work() {
  const copy = copyOfWorkspace();
  try {
    // Tests that fail without a mutation would kill every mutant.
    if (await fails(copy, "packages/esym/src/border.ts")) throw new Error("mutation: the tests fail unchanged");
    for (const mutant of waiting) {
      const path = join(copy, mutant.file);
      const source = readFileSync(mutant.file, "utf8");
      writeFileSync(path, source.slice(0, mutant.start) + mutant.text + source.slice(mutant.end));
      const killed = await fails(copy, mutant.file);
      writeFileSync(path, source);
      outcomes.push({ mutant, killed });
      const { file, line, was, text } = mutant;
      console.log(`${killed ? "killed  " : "SURVIVED"} ${file}:${line}: ${was} -> ${text}`);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Whether a test that imports the file fails. @param {string} copy @param {string} file @returns {Promise<boolean>} */
function fails(copy, file) {
  return new Promise((done) => {
    const projects = ["--project=@smooth-topk/esym", "--project=@smooth-topk/loss"];
    const run = spawn(
      process.execPath,
      ["node_modules/vitest/vitest.mjs", "related", file, "--run", "--bail=1", "--reporter=dot", ...projects],
      { cwd: copy, stdio: "ignore", env: { ...process.env, FC_SEED: String(seed) }, detached: true },
    );
    const clock = setTimeout(() => process.kill(-(/** @type {number} */ (run.pid)), "SIGKILL"), LIMIT);
    run.on("exit", (status) => {
      clearTimeout(clock);
      done(status !== 0);
    });
  });
}

/** The packages without what is built, and links to what is installed; links between packages stay inside the copy. */
function copyOfWorkspace() {
  const copy = mkdtempSync(join(tmpdir(), "smooth-topk-mutation-"));
  /** @type {(path: string) => boolean} */
  const isSource = (path) => !/[/\\](node_modules|dist|\.turbo|\.git)$/.test(path);
  const settings = readdirSync(".").filter((name) => /^(tsconfig|vitest)\..*|^package\.json$|\.md$/.test(name));
  for (const name of ["packages", "tools", "docs", "scripts", ...settings]) {
    cpSync(name, join(copy, name), { recursive: true, filter: isSource });
  }
  for (const name of ["ports", "bench"]) mkdirSync(join(copy, name));
  const modules = join(copy, "node_modules");
  mkdirSync(join(modules, "@smooth-topk"), { recursive: true });
  for (const name of readdirSync("node_modules")) {
    if (name !== "@smooth-topk") symlinkSync(resolve("node_modules", name), join(modules, name));
  }
  for (const folder of ["packages", "tools"]) {
    for (const name of readdirSync(folder)) {
      symlinkSync(join(copy, folder, name), join(modules, "@smooth-topk", name));
    }
  }
  return copy;
}

/** @param {string} file @returns {Mutant[]} */
function mutantsOf(file) {
  const source = readFileSync(file, "utf8");
  /** @type {Mutant[]} */
  const found = [];
  /** @type {(start: number, end: number, text: string) => void} */
  const add = (start, end, text) => {
    const line = source.slice(0, start).split("\n").length;
    found.push({ file, start, end, text, was: source.slice(start, end), line });
  };
  /** The operator between two operands. @type {(from: number, to: number, operator: string) => void} */
  const swap = (from, to, operator) => {
    const start = source.indexOf(operator, from);
    if (operator in SWAPS && start >= 0 && start < to) add(start, start + operator.length, SWAPS[operator]);
  };
  new Visitor({
    BinaryExpression: ({ left, right, operator }) => swap(left.end, right.start, operator),
    LogicalExpression: ({ left, right, operator }) => swap(left.end, right.start, operator),
    AssignmentExpression: ({ left, right, operator }) => swap(left.end, right.start, operator),
    UpdateExpression: ({ start, end, operator }) => swap(start, end, operator),
    UnaryExpression: ({ start, argument, operator }) => {
      if (operator === "-" || operator === "!") add(start, argument.start, "");
    },
    Literal: ({ start, end, value }) => {
      if (typeof value === "number") add(start, end, String(value + 1));
    },
    IfStatement: ({ test }) => {
      add(test.start, test.end, "true");
      add(test.start, test.end, "false");
    },
    ConditionalExpression: ({ test }) => add(test.start, test.end, `!(${source.slice(test.start, test.end)})`),
  }).visit(parseSync(file, source).program);
  return found;
}

/** A sample without repetition, by Park and Miller's generator. @param {Mutant[]} from @param {number} size */
function draw(from, size) {
  let state = (seed % 2147483646) + 1;
  const pool = [...from];
  for (let i = 0; i < Math.min(size, pool.length); i++) {
    state = (state * 16807) % 2147483647;
    const j = i + (state % (pool.length - i));
    [pool[i], pool[j]] = [pool[j], pool[i]];
  }
  return pool.slice(0, size).toSorted((a, b) => a.file.localeCompare(b.file) || a.start - b.start);
}
