/**
 * Runs an example and holds it to what the page says that it prints.
 *
 * An example is a script in TypeScript, whose types are erased. What it imports is handed to it, so that a test chooses the
 * modules: sources, not what was built.
 */
import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert";
import { format } from "node:util";
import { compileFunction } from "node:vm";
import { transformWithOxc } from "vite";

/** The modules that an example may import, by name. */
type Modules = Readonly<Record<string, unknown>>;

/** Runs an example and returns the arguments of each console.log. */
async function printedBy(code: string, modules: Modules): Promise<unknown[][]> {
  const printed: unknown[][] = [];
  const body = code
    .replaceAll(/^import (\{[^}]*\}) from "([^"]+)";$/gm, (_, names: string, from: string) => {
      return `const ${names.replaceAll(/\btype \w+,? ?/g, "").replaceAll(" as ", ": ")} = modules[${JSON.stringify(from)}];`;
    })
    .replaceAll(/^import (\w+) from "([^"]+)";$/gm, 'const $1 = modules["$2"].default;');
  const { code: script } = await transformWithOxc(`const example = async () => {${body}\n};`, "example.ts");
  const run = compileFunction(`${script}\nreturn example();`, ["modules", "console"]) as (
    modules: Modules,
    console: { log: (...values: unknown[]) => void },
  ) => Promise<void>;
  await run(modules, { log: (...values) => printed.push(values) });
  return printed;
}

/**
 * Holds an example to the numbers in the comments behind its calls of console.log: all that the call prints, in order,
 * behind the comment's last colon. Numbers are rounded to the digits shown; there is no other tolerance.
 *
 * @throws AssertionError
 */
export async function expectCommentsPrinted(code: string, modules: Modules): Promise<void> {
  const comments = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => numbersShown(match[1]));
  notStrictEqual(comments.length, 0, "the example prints nothing that a comment shows");
  const printed = (await printedBy(code, modules)).map((values) => values.flatMap(numbersOf));
  const rounded = printed.map((row, r) => row.map((v, i) => v.toFixed(decimals(comments[r]?.[i] ?? ""))));
  deepStrictEqual(rounded, comments);
}

/** Holds an example to its whole output, to the last digit. @throws AssertionError */
export async function expectOutputPrinted(code: string, output: string, modules: Modules): Promise<void> {
  const lines = (await printedBy(code, modules)).map((values) => `${format(...values)}\n`);
  strictEqual(lines.join(""), output);
}

/** All numbers in a printed value: itself, or those of an array or ndarray. */
function numbersOf(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return [...(ArrayBuffer.isView(value) ? (value as Float64Array) : (value as { data: Float64Array }).data)];
}

/** The numbers that end a comment, as written. */
function numbersShown(comment: string): string[] {
  return comment
    .slice(comment.lastIndexOf(":") + 1)
    .trim()
    .split(/[,\s]+/);
}

function decimals(text: string): number {
  return text.split(".")[1]?.length ?? 0;
}
