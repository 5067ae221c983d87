/** The vectors that come with the package. */
import { readFileSync } from "node:fs";
import { FUNCTIONS, type VectorFile } from "./vector-file.ts";

/** All vector files, one a function. */
export function loadVectors(): VectorFile[] {
  return FUNCTIONS.map((name) => {
    const file = new URL(`../../vectors/${name}.json`, import.meta.url);
    return JSON.parse(readFileSync(file, "utf8")) as VectorFile;
  });
}
