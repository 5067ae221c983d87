import { chdir, cwd } from "node:process";
import { temporaryFolder } from "@smooth-topk/array-files/testing";
import { examplesOf, expectOutputPrinted } from "@smooth-topk/doc-examples";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as train from "./index.ts";

const folder = temporaryFolder();
const before = cwd();
beforeAll(() => chdir(folder));
afterAll(() => chdir(before));

it("README.md: the example prints what it says", async () => {
  const [example, output] = examplesOf(new URL("../README.md", import.meta.url));
  expect([example.language, output.language]).toEqual(["ts", "text"]);
  await expectOutputPrinted(example.code, output.code, { "@smooth-topk/train": train });
});
