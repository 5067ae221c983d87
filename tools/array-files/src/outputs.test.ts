import { spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { refusal } from "../testing/read-array.ts";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { openArray } from "./open-array.ts";
import { checkOutputs } from "./outputs.ts";
import { writeWhole } from "./unfinished.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
writeFileSync(path("in.npy"), "input");
writeFileSync(path("old.npy"), "old");
symlinkSync(path("in.npy"), path("link.npy"));
linkSync(path("in.npy"), path("hard.npy"));
symlinkSync(path("old.npy"), path("other.npy"));
symlinkSync(path("nowhere.npy"), path("dangling.npy"));
mkdirSync(path("folder.npy"));
const check = (names: readonly string[], force = false): Promise<string[]> =>
  checkOutputs(
    names.map((name, i) => ({ flag: ["--grad", "--per-sample"][i], path: path(name) })),
    [path("in.npy")],
    force,
  );

describe("checkOutputs", () => {
  it.each([
    ["in.npy", /is a file that is read, name another$/],
    ["link.npy", /is a file that is read, name another$/],
    ["hard.npy", /is a file that is read, name another$/],
    ["folder.npy", /is a folder, expected a file$/],
    ["none/new.npy", /no such folder$/],
    ["dangling.npy", /is a link to a file that is not there$/],
    ["in.npy/new.npy", /part of the path is not a folder$/],
  ])("refuses %s even by force", async (name, message) => {
    expect(await refusal(check([name], true))).toMatch(message);
    expect(await refusal(check(["new.npy", name], true))).toMatch(/^--per-sample: /);
  });

  it("refuses what exists but by force, and writes to what a link stands for", async () => {
    expect(await refusal(check(["old.npy"]))).toMatch(/^--grad: .*old\.npy: exists already: .*--force$/);
    expect(await check(["other.npy"], true)).toEqual([path("old.npy")]);
    expect(await check(["new.npy"])).toEqual([path("new.npy")]);
  });

  it("refuses one file for two outputs, by whatever names", async () => {
    symlinkSync(folder, path("again"));
    expect(await refusal(check(["new.npy", "again/new.npy"]))).toMatch(/is the file of --grad too, name another$/);
    expect(await refusal(check(["old.npy", "other.npy"], true))).toMatch(/is the file of --grad too, name another$/);
  });

  it("refuses a device", async () => {
    const flag = "--grad";
    expect(await refusal(checkOutputs([{ flag, path: "/dev/null" }], [], true))).toMatch(/is a pipe or a device/);
  });
});

describe("pipes", () => {
  it("are refused at once where a file is to be read", async () => {
    spawnSync("mkfifo", [path("pipe.npy"), path("pipe.csv"), path("pipe.npz"), path("pipe.parquet")]);
    for (const name of ["pipe.npy", "pipe.csv", "pipe.npz", "pipe.parquet"]) {
      expect(await refusal(openArray(path(name)))).toMatch(/is a pipe or a device, expected a file/);
    }
  });
});

it("what a killed process left beside a file goes when the file is written again", async () => {
  // No process has this number: it is above the largest that Linux gives.
  const left = path(`w.txt.${2 ** 22 + 1}.part`);
  const theirs = path("w.txt.1.part");
  writeFileSync(left, "half");
  writeFileSync(theirs, "process 1 is alive");
  await writeWhole(path("w.txt"), "whole");
  expect([existsSync(left), existsSync(theirs), readFileSync(path("w.txt"), "utf8")]).toEqual([false, true, "whole"]);
});
