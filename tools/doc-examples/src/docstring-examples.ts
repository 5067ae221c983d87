/**
 * The examples in the docstrings of a package's sources: the fenced blocks behind `@example`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface DocstringExample {
  /** The source it stands in, and what it documents. */
  readonly of: string;
  readonly code: string;
}

/** A fenced block, the rest of its docstring, and the line after that. */
const BLOCK = /^ *\* @example\n *\* ```ts\n((?: *\*[^\n]*\n)*?) *\* ```\n(?: *\*(?!\/)[^\n]*\n)* *\*\/\n([^\n]*)$/gm;

/** @param folder  of sources, searched with all below it. */
export function docstringExamples(folder: URL): DocstringExample[] {
  const files = readdirSync(fileURLToPath(folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(file))
    .toSorted();
  return files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(BLOCK)].map(([, block, next]) => ({
      of: `${file}: ${next.replace(/^export (?:async )?(?:function|const) (\w+).*/, "$1")}`,
      code: block.replaceAll(/^ *\* ?/gm, ""),
    })),
  );
}
