import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npyFile } from "@smooth-topk/array-files/testing";
import { smoothTopkLoss, smoothTopkLossValueAndGrad, topkAccuracy } from "@smooth-topk/loss";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { BIN, smoothTopk, temporaryFolder } from "../testing/spawn-cli.ts";
import { evaluate, type EvaluateOptions } from "./evaluate.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const write = (name: string, bytes: Buffer | string): string => {
  writeFileSync(path(name), bytes);
  return path(name);
};

const generator = xoroshiro128plus(11);
const batch = 29;
const n = 9;
const rows = Array.from({ length: batch }, () => Array.from({ length: n }, () => 6 * uniformFloat64(generator) - 3));
const labels = rows.map((_, b) => (5 * b) % n);
const weights = rows.map((_, b) => (b % 4) / 2);
const scoresFile = write("scores.npy", npyFile(rows.flat(), [batch, n]));
const labelsFile = write("labels.npy", npyFile(labels, [batch], { type: "int64" }));
const options: EvaluateOptions = {
  scores: scoresFile,
  labels: labelsFile,
  k: [5],
  tau: 1,
  alpha: 1,
  loss: "smooth-topk",
  reduction: "mean",
  backend: "cpu",
};
const values = (file: string): Float64Array => {
  const bytes = readFileSync(file);
  return new Float64Array(Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
};
const refusal = (some: Partial<EvaluateOptions>): Promise<string> =>
  evaluate({ ...options, ...some }).then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );

describe("smooth-topk eval on files that other tools write", () => {
  // The case of a public report: n was read as 6, and the loss as 2.2558.
  it("an index column is no class", async () => {
    const csv = write(
      "index.csv",
      ",cat,dog,fish,hen,yak\n0,0.001,0.2,0.3,0.4,0.5\n1,1.5,0.25,2.5,-1,0\n2,0.5,3,1,2,-2\n",
    );
    const y = write("y.csv", ",label\n0,1\n1,4\n2,0\n");
    const notes: string[] = [];
    const { loss, n: classes } = await evaluate({ ...options, scores: csv, labels: y, k: [2] }, (note) =>
      notes.push(note),
    );
    const plain = [
      [0.001, 0.2, 0.3, 0.4, 0.5],
      [1.5, 0.25, 2.5, -1, 0],
      [0.5, 3, 1, 2, -2],
    ];
    expect([classes, loss]).toEqual([5, smoothTopkLoss(plain, [1, 4, 0], { k: 2 })]);
    expect(notes.length).toBe(4);
    const { status, stderr } = smoothTopk(["eval", "--scores", csv, "--labels", y, "--k", "2"]);
    expect(status).toBe(0);
    expect(stderr.split("\n")[0]).toBe(`smooth-topk: ${csv}: line 1 is taken for a heading`);
    expect(smoothTopk(["eval", "--scores", csv, "--labels", y, "--index-column", "maybe"])).toMatchObject({
      status: 2,
      stderr: 'smooth-topk: --index-column: "maybe", expected yes or no\n',
    });
  });

  it("labels in a column, as floats, one-hot or as probabilities", async () => {
    const expected = (await evaluate(options)).loss;
    const oneHot = labels.flatMap((label) => Array.from({ length: n }, (_, i) => Number(i === label)));
    for (const [file, labelsAs] of [
      [write("column.npy", npyFile(labels, [batch, 1], { type: "uint8" })), "index"],
      [write("floats.npy", npyFile(labels, [batch], { type: "float32" })), "index"],
      [write("hot.npy", npyFile(oneHot, [batch, n], { type: "float32" })), "one-hot"],
    ] as const) {
      expect((await evaluate({ ...options, labels: file, labelsAs })).loss).toBe(expected);
    }
    const wide = write(
      "wide.npy",
      npyFile(
        [...oneHot, ...labels.map(() => 0)]
          .slice(0, batch * 10)
          .fill(0)
          .map((_, i) => Number(i % 10 === 0)),
        [batch, 10],
      ),
    );
    expect(await refusal({ labels: wide, labelsAs: "one-hot" })).toMatch(
      /wide\.npy: has 10 classes, expected the 9 of/,
    );
  });

  it("a vector of scores is one sample", async () => {
    const one = write("one.npy", npyFile(rows[0], [n]));
    const y = write("one-y.npy", npyFile([labels[0]], [1], { type: "int32" }));
    expect(await evaluate({ ...options, scores: one, labels: y })).toMatchObject({
      batch: 1,
      loss: smoothTopkLoss(rows[0], labels[0]),
    });
  });

  it("standard input", () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [BIN, "eval", "--scores", "-", "--labels", labelsFile, "--json"],
      {
        input: readFileSync(scoresFile),
        encoding: "utf8",
      },
    );
    expect([status, (JSON.parse(stdout) as { loss: number }).loss]).toEqual([0, smoothTopkLoss(rows, labels)]);
    expect(smoothTopk(["eval", "--scores", "-", "--labels", "-"], "1.5,2\n")).toMatchObject({
      status: 2,
      stderr: "smooth-topk: -: standard input can be read once only\n",
    });
  });
});

describe("smooth-topk eval: what counts", () => {
  const ignored = labels.map((label, b) => (b % 3 === 1 ? -100 : label));
  const kept = rows.map((_, b) => b).filter((b) => ignored[b] >= 0);
  const some = kept.map((b) => rows[b]);
  const someLabels = kept.map((b) => labels[b]);

  it("--ignore-index leaves rows out, whatever they hold", async () => {
    const holes = rows.map((row, b) => (ignored[b] < 0 ? row.map(() => NaN) : row));
    const given = {
      ...options,
      scores: write("holes.npy", npyFile(holes.flat(), [batch, n])),
      labels: write("ignored.npy", npyFile(ignored, [batch], { type: "int64" })),
      ignoreIndex: -100,
      grad: path("ignored-grad.npy"),
      perSample: path("ignored-each.npy"),
      blockBytes: 8 * n * 4,
    };
    expect(await evaluate(given)).toMatchObject({
      loss: smoothTopkLoss(some, someLabels),
      top1: topkAccuracy(some, someLabels, { k: 1 }),
      topk: topkAccuracy(some, someLabels, { k: 5 }),
      batch,
      ignored: batch - kept.length,
    });
    const own = smoothTopkLossValueAndGrad(rows, ignored, { ignoreIndex: -100, reduction: "none" });
    expect([...values(given.perSample)]).toEqual([...own.value]);
    expect([...values(given.grad)]).toEqual([...own.grad.data].map((g) => g * (1 / kept.length) + 0));
    expect(await refusal({ ...given, ignoreIndex: undefined, grad: undefined, perSample: undefined })).toMatch(
      /label of row 1 is -100, expected an integer in \[0, 8\]$/,
    );
  });

  it("--weights weigh losses and gradient as the library does, with and without what is ignored", async () => {
    const file = write("weights.npy", npyFile(weights, [batch]));
    for (const ignoreIndex of [undefined, 3]) {
      for (const reduction of ["mean", "sum"] as const) {
        const grad = path(`weighted-${ignoreIndex}-${reduction}.npy`);
        const { loss } = await evaluate({
          ...options,
          weights: file,
          reduction,
          grad,
          ignoreIndex,
          blockBytes: 8 * n * 5,
        });
        const own = smoothTopkLossValueAndGrad(rows, labels, { weights, reduction, ignoreIndex });
        expect(loss).toBe(own.value);
        // The library multiplies once by weight / total, this by the weight and then by 1 / total: each rounds
        // at most three times (quotient, two products), 6 u between them.
        values(grad).forEach((g, i) =>
          expect(Math.abs(g - own.grad.data[i])).toBeLessThanOrEqual(6 * 2 ** -53 * Math.abs(g)),
        );
      }
    }
    expect(await refusal({ weights: write("few.npy", npyFile(weights.slice(0, n), [n])) })).toMatch(
      /holds 9 weights, expected one for each of 29 rows of .* \(weights are of samples, not of classes\)$/,
    );
    expect(await refusal({ weights: write("neg.npy", npyFile(weights.with(7, -1), [batch])) })).toMatch(
      /weight of row 7 is -1, expected a finite number >= 0$/,
    );
  });

  it("--k 1,5 gives the loss and the accuracy of each", async () => {
    const { loss, topk, k } = await evaluate({ ...options, k: [1, 5] });
    expect(k).toEqual([1, 5]);
    expect(loss).toEqual([1, 5].map((one) => smoothTopkLoss(rows, labels, { k: one })));
    expect(topk).toEqual([1, 5].map((one) => topkAccuracy(rows, labels, { k: one })));
    expect(await refusal({ k: [1, 5], grad: path("x.npy") })).toBe("--grad: is of one k, and --k names 2");
    const { stdout } = smoothTopk(["eval", "--scores", scoresFile, "--labels", labelsFile, "--k", "1,5"]);
    expect(stdout.match(/^loss .*\(k = [15],/gm)?.length).toBe(2);
    expect(stdout.match(/^top-[15] accuracy/gm)?.length).toBe(2);
  });

  it("--reduction none gives each sample's own loss and gradient", async () => {
    const grad = path("none-grad.npy");
    const { loss } = await evaluate({ ...options, reduction: "none", json: true, grad });
    const own = smoothTopkLossValueAndGrad(rows, labels, { reduction: "none" });
    expect(loss).toEqual([...own.value]);
    expect([...values(grad)]).toEqual([...own.grad.data]);
    expect(await refusal({ reduction: "none" })).toMatch(/^--reduction none: .*name one of them$/);
  });

  it("an empty batch has a sum of 0 and no mean, and says so", () => {
    const none = write("none.npy", npyFile([], [0, 6]));
    const y = write("none-y.npy", npyFile([], [0], { type: "int64" }));
    const args = ["eval", "--scores", none, "--labels", y, "--json"];
    const mean = smoothTopk([...args, "--grad", path("none-g.npy")]);
    expect(mean).toMatchObject({ status: 0, stderr: expect.stringMatching(/no samples count/) as string });
    expect(JSON.parse(mean.stdout)).toMatchObject({ loss: null, top1: null, topk: null, batch: 0, n: 6 });
    expect(values(path("none-g.npy")).length).toBe(0);
    expect(JSON.parse(smoothTopk([...args, "--reduction", "sum"]).stdout)).toMatchObject({ loss: 0 });
  });
});

describe("smooth-topk eval: what is not written over", () => {
  it("its own inputs, what exists, a folder; and nothing is left where one of two outputs is refused", () => {
    const args = ["eval", "--scores", scoresFile, "--labels", labelsFile];
    const before = readFileSync(scoresFile);
    mkdirSync(path("folder.npy"));
    for (const [out, message] of [
      [["--grad", scoresFile, "--force"], /--grad: .*scores\.npy: is a file that is read, name another$/],
      [
        ["--grad", path("first.npy"), "--per-sample", path("folder.npy")],
        /--per-sample: .*is a folder, expected a file$/,
      ],
      [["--grad", path("first.npy"), "--per-sample", path("first.npy")], /is the file of --grad too, name another$/],
      [
        ["--grad", write("exists.npy", "mine")],
        /exists\.npy: exists already: name another file, or replace it by --force$/,
      ],
    ] as const) {
      const { status, stderr } = smoothTopk([...args, ...out]);
      expect([status, stderr.trimEnd()]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(readFileSync(scoresFile)).toEqual(before);
    expect(existsSync(path("first.npy"))).toBe(false);
    expect(readFileSync(path("exists.npy"), "utf8")).toBe("mine");
  });
});

describe("smooth-topk eval: errors name what the user wrote", () => {
  it("--tau beyond what k tau may be", async () => {
    expect(await refusal({ tau: 1e-300 })).toBe("--tau: 1e-300, expected k tau between 1e-280 and 1e280");
  });

  it("a loss that is not finite is no result", async () => {
    // The margin alone passes the range: the sum of 1.7e308 and a difference of 1e308 is no double.
    const far = write(
      "far.npy",
      npyFile(
        rows.flat().map((_, i) => (i % n === 0 ? -1e308 : 1e308)),
        [batch, n],
      ),
    );
    const zeros = write(
      "zeros.npy",
      npyFile(
        labels.map(() => 0),
        [batch],
        { type: "int8" },
      ),
    );
    expect(await refusal({ scores: far, labels: zeros, k: [1], alpha: 1.7e308 })).toMatch(
      /far\.npy: the loss of row 0 is (Infinity|NaN): its scores lie too far apart for this precision$/,
    );
  });
});

describe("smooth-topk eval --threads", () => {
  it("is the same to the last bit, in numbers and in files, and in its errors", () => {
    const many = 700;
    const wide = 1000;
    const scores = Array.from({ length: many * wide }, () => 10 * uniformFloat64(generator));
    const file = write("many.npy", npyFile(scores, [many, wide], { type: "float32" }));
    const y = write(
      "many-y.npy",
      npyFile(
        Array.from({ length: many }, (_, b) => (b * 7) % wide),
        [many],
        { type: "int32" },
      ),
    );
    const run = (threads: string): { json: unknown; grad: Buffer; each: Buffer } => {
      const [grad, each] = [path(`g${threads}.npy`), path(`e${threads}.npy`)];
      const args = [
        "eval",
        "--scores",
        file,
        "--labels",
        y,
        "--json",
        "--threads",
        threads,
        "--grad",
        grad,
        "--per-sample",
        each,
      ];
      const { stdout, status } = smoothTopk(args);
      expect(status).toBe(0);
      const { seconds: _, ...json } = JSON.parse(stdout) as { seconds: number };
      return { json, grad: readFileSync(grad), each: readFileSync(each) };
    };
    expect(run("3")).toEqual(run("1"));
    const bad = write(
      "bad-y.npy",
      npyFile(
        Array.from({ length: many }, (_, b) => (b === 650 ? -1 : 0)),
        [many],
        { type: "int32" },
      ),
    );
    for (const threads of ["1", "3"]) {
      const { status, stderr } = smoothTopk(["eval", "--scores", file, "--labels", bad, "--threads", threads]);
      expect([status, stderr]).toEqual([
        2,
        `smooth-topk: ${bad}: label of row 650 is -1, expected an integer in [0, 999]\n`,
      ]);
    }
  });
});
