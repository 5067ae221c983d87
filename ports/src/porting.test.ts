/**
 * docs/porting.md names the flags of the vectors that there are, and all of them.
 */
import { loadVectors } from "@smooth-topk/conformance/runner";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { portPath } from "./python.ts";

const page = readFileSync(portPath("../docs/porting.md"), "utf8");

it("each step of the guide names flags that the vectors have, and no flag is left out", () => {
  const lines = page.split("\n").filter((line) => line.startsWith("*Flags.*"));
  const named = new Set(lines.flatMap((line) => [...line.matchAll(/`(\w+)`/g)].map(([, flag]) => flag)));
  const flags = new Set(loadVectors().flatMap(({ notes }) => Object.keys(notes)));
  expect([...named].sort()).toEqual([...flags].sort());
});
