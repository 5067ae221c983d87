/**
 * The fenced blocks of a page of documentation.
 */
import { readFileSync } from "node:fs";

export interface Example {
  /** Of the section it stands in. */
  readonly heading: string;
  /** The word after the opening fence, '' if there is none. */
  readonly language: string;
  readonly code: string;
}

/** All fenced blocks of a page, in order. */
export function examplesOf(page: URL): Example[] {
  const text = readFileSync(page, "utf8");
  const fences = /^```(\w*)\n(.*?)^```$/gms;
  // A comment of a shell example looks like a heading.
  const prose = text.replace(fences, (block) => block.replaceAll("#", " "));
  return [...text.matchAll(fences)].map((match) => ({
    heading:
      prose
        .slice(0, match.index)
        .match(/^#+ .*$/gm)
        ?.at(-1)
        ?.replace(/^#+ /, "") ?? "",
    language: match[1],
    code: match[2],
  }));
}
