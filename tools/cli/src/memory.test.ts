import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { npyFile } from "@smooth-topk/array-files/testing";
import { temporaryFolder } from "../testing/spawn-cli.ts";

const folder = temporaryFolder();

/** Peak resident memory in MB of an evaluation of `rows` rows of 1000 zeros, a file with holes in place of data. */
function peak(rows: number): number {
  const scores = join(folder, `scores-${rows}.npy`);
  const header = npyFile([], [0, 1000], { type: "float32" })
    .toString("latin1")
    .replace("(0, 1000), }\n", `(${rows}, 1000), }`);
  const start = Buffer.from(`${header.padEnd(127)}\n`, "latin1");
  start.writeUInt16LE(118, 8);
  const file = openSync(scores, "w");
  writeSync(file, start);
  ftruncateSync(file, 128 + rows * 1000 * 4);
  closeSync(file);
  const labels = join(folder, `labels-${rows}.npy`);
  writeFileSync(labels, npyFile(new Array<number>(rows).fill(0), [rows], { type: "uint8" }));
  const script = `
    import { evaluate } from ${JSON.stringify(new URL("../dist/evaluate.js", import.meta.url).href)};
    const { batch } = await evaluate({ scores: ${JSON.stringify(scores)}, labels: ${JSON.stringify(labels)}, k: [1], tau: 1, alpha: 1,
      loss: "cross-entropy", reduction: "mean", backend: "cpu" });
    console.log(batch, process.resourceUsage().maxRSS / 1024);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  const [batch, megabytes] = stdout.split(" ").map(Number);
  expect(batch).toBe(rows);
  return megabytes;
}

it("a file of any size is read in the memory of a block", () => {
  const small = peak(5_000);
  const large = peak(100_000);
  // 20 MB and 400 MB of scores: held whole, the second would show. 100 MB leave room for the collector's habits.
  expect(large - small).toBeLessThan(100);
  expect(large).toBeLessThan(300);
});
