import { readFileSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "@smooth-topk/array-files/testing";
import { describe, expect, it } from "vitest";
import { openJournal, type Run } from "./journal.ts";

const path = `${temporaryFolder()}/runs.jsonl`;
const run = (seed: number): Run => ({
  id: `run "${seed}" é`,
  loss: "topk",
  noise: 0.5,
  fraction: 1,
  seed,
  tau: null,
  learningRate: 0.1,
  validation: { top1: 0.1, topk: 0.2 },
  test: { top1: 1 / 3, topk: 0.4 },
  curves: { loss: [1], top1: [0.1], topk: [0.2] },
  diverged: false,
  seconds: 1,
  commit: null,
});

describe("the journal", () => {
  it("cut short at any byte keeps every whole line, and goes on from there", async () => {
    const journal = await openJournal(path);
    for (const seed of [1, 2, 3]) await journal.append(run(seed));
    await journal.close();
    const whole = readFileSync(path);
    const ends = [...whole.keys()].filter((i) => whole[i] === 10).map((i) => i + 1);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const again = await openJournal(path);
      const kept = ends.filter((end) => end <= length).length;
      expect([...again.runs.values()]).toEqual([1, 2, 3].slice(0, kept).map(run));
      for (const seed of [1, 2, 3].slice(kept)) await again.append(run(seed));
      await again.close();
      expect(readFileSync(path)).toEqual(whole);
    }
  });

  it("with a damaged line before the last names it", async () => {
    writeFileSync(path, `${JSON.stringify(run(1))}\n{"id": 3\n${JSON.stringify(run(2))}\n`);
    await expect(openJournal(path)).rejects.toThrow(
      /runs\.jsonl: line 2 is damaged: remove it, and its run is repeated$/,
    );
  });
});
