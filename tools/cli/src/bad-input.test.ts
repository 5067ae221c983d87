import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { npyBytes, npyFile, safetensorsBytes, safetensorsFile } from "@smooth-topk/array-files/testing";
import { smoothTopk, temporaryFolder } from "../testing/spawn-cli.ts";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

const batch = 37;
const n = 11;
const rows = Array.from({ length: batch }, (_, b) => Array.from({ length: n }, (__, i) => Math.sin(b * n + i)));
const labels = rows.map((_, b) => b % n);
writeFileSync(path("scores.npy"), npyFile(rows.flat(), [batch, n]));
writeFileSync(path("labels.npy"), npyFile(labels, [batch], { type: "int64" }));
const files = ["--scores", path("scores.npy"), "--labels", path("labels.npy")];

describe("bad input ends with status 2 and one line that says what and where", () => {
  const write = (name: string, bytes: Buffer | string): string => {
    writeFileSync(path(name), bytes);
    return path(name);
  };
  const good = npyFile(rows.flat(), [batch, n]);
  const scoresOf = (row: number, column: number, value: number): Buffer => {
    const values = rows.flat();
    values[row * n + column] = value;
    return npyFile(values, [batch, n]);
  };
  const header = (text: string): Buffer => npyBytes(text, Buffer.alloc(16));
  const table: [string, string[] | (() => string[]), RegExp][] = [
    ["no such file", ["--scores", path("none.npy")], /none\.npy: no such file$/],
    [
      "a folder",
      () => ["--scores", write("x.txt", "").replace("x.txt", "")],
      /unknown kind of file, expected \.npy, \.npz, \.safetensors, \.parquet or \.csv, or - for standard input$/,
    ],
    [
      "a wrong magic",
      () => ["--scores", write("magic.npy", "PK\u0003\u0004 not an array")],
      /not an \.npy file: it begins with /,
    ],
    ["an empty file", () => ["--scores", write("empty.npy", "")], /empty\.npy: ends after 0 bytes/],
    [
      "short data",
      () => ["--scores", write("short.npy", good.subarray(0, -1))],
      /is cut short: \d+ bytes, expected \d+ for shape \(37, 11\) of float64$/,
    ],
    [
      "trailing data",
      () => ["--scores", write("long.npy", Buffer.concat([good, Buffer.from("x")]))],
      /has trailing data: /,
    ],
    [
      "a header that lies",
      () => [
        "--scores",
        write("lies.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9), }\n")),
      ],
      /is cut short: /,
    ],
    [
      "a huge header",
      () => [
        "--scores",
        write(
          "huge.npy",
          Buffer.concat([Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\x7f", "latin1"), Buffer.alloc(20)]),
        ),
      ],
      /the \.npy header claims 2147483647 bytes, expected at most 65535$/,
    ],
    [
      "an unknown version",
      () => ["--scores", write("v9.npy", Buffer.from("\x93NUMPY\x09\x00\x10\x00{}              ", "latin1"))],
      /\.npy format version 9\.0, expected 1, 2 or 3$/,
    ],
    [
      "an object dtype",
      () => ["--scores", write("object.npy", header("{'descr': '|O', 'fortran_order': False, 'shape': (2, 1), }\n"))],
      /dtype "\|O" holds Python objects \(pickled\), expected floats or integers$/,
    ],
    [
      "a structured dtype",
      () => [
        "--scores",
        write("struct.npy", header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }\n")),
      ],
      /a structured dtype is not read/,
    ],
    [
      "complex numbers",
      () => [
        "--scores",
        write("complex.npy", header("{'descr': '<c16', 'fortran_order': False, 'shape': (1, 1), }\n")),
      ],
      /holds complex numbers/,
    ],
    [
      "a header without shape",
      () => ["--scores", write("shapeless.npy", header("{'descr': '<f8', 'fortran_order': False, }\n"))],
      /damaged \.npy header: no 'shape'$/,
    ],
    [
      "three dimensions",
      () => [
        "--scores",
        write(
          "three.npy",
          npyFile(
            Array.from({ length: 8 }, () => 0),
            [2, 2, 2],
          ),
        ),
      ],
      /has shape \(2, 2, 2\), expected scores of shape \(batch, n\)$/,
    ],
    [
      "no classes",
      () => ["--scores", write("none0.npy", npyFile([], [5, 0]))],
      /has shape \(5, 0\), expected at least one class$/,
    ],
    [
      "swapped files",
      ["--scores", path("labels.npy"), "--labels", path("scores.npy")],
      /labels\.npy: holds int64, expected float scores; are --scores and --labels swapped\?$/,
    ],
    [
      "labels that are no integers",
      () => ["--labels", write("float.npy", npyFile(labels.with(3, 0.5), [batch]))],
      /float\.npy: label of row 3 is 0\.5, expected an integer in \[0, 10\]$/,
    ],
    [
      "too few labels",
      () => ["--labels", write("few.npy", npyFile([1, 2], [2], { type: "int32" }))],
      /few\.npy: holds 2 labels, expected one for each of 37 rows of .*scores\.npy$/,
    ],
    [
      "a label out of range",
      () => ["--labels", write("range.npy", npyFile(labels.with(30, 11), [batch], { type: "int32" }))],
      /label of row 30 is 11, expected an integer in \[0, 10\]$/,
    ],
    [
      "a NaN score",
      () => ["--scores", write("nan.npy", scoresOf(35, 4, NaN))],
      /nan\.npy: score of row 35, class 4 is NaN, expected a finite number or -Infinity$/,
    ],
    [
      "a masked label",
      () => ["--scores", write("masked.npy", scoresOf(36, labels[36], -Infinity))],
      /label of row 36 is \d+, a masked class: its score is -Infinity$/,
    ],
    [
      "text in .csv",
      () => ["--scores", write("text.csv", "1.5,2\n3,oops\n")],
      /text\.csv: line 2, column 2: "oops" is not a number$/,
    ],
    [
      "ragged .csv",
      () => ["--scores", write("ragged.csv", "1.5,2\n3\n")],
      /ragged\.csv: line 2 has 1 values, expected 2 as in the first$/,
    ],
    [
      "a fractional label in .csv",
      () => ["--labels", write("half.csv", labels.with(2, 0.5).join("\n"))],
      /label of row 2 is 0\.5, expected an integer/,
    ],
    [
      "an unknown tensor",
      () => [
        "--scores",
        `${write("t.safetensors", safetensorsFile({ a: { values: [1], shape: [1], type: "float32" } }))}:b`,
      ],
      /t\.safetensors: no tensor "b"; it holds a$/,
    ],
    [
      "tensors without a name",
      () => [
        "--scores",
        write(
          "two.safetensors",
          safetensorsFile({
            a: { values: [1], shape: [1, 1], type: "float32" },
            b: { values: [1], shape: [1, 1], type: "float32" },
          }),
        ),
      ],
      /name the tensor, as in .*two\.safetensors:NAME; it holds a, b$/,
    ],
    [
      "a .safetensors header that is no JSON",
      () => ["--scores", write("json.safetensors", safetensorsBytes("{nope", Buffer.alloc(8)))],
      /the \.safetensors header is not JSON$/,
    ],
    [
      "a .safetensors header longer than the file",
      () => ["--scores", write("len.safetensors", Buffer.from("ffffffffffff0000", "hex"))],
      /the \.safetensors header claims \d+ bytes in a file of 8$/,
    ],
    [
      "offsets that do not fit",
      () => [
        "--scores",
        write(
          "off.safetensors",
          safetensorsBytes('{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,8]}}', Buffer.alloc(8)),
        ),
      ],
      /offsets 0 to 8 do not fit shape \[2, 2\] of F32: 16 bytes$/,
    ],
    ["k of n", ["--k", "11"], /--k: k must be at most n - 1: got k = 11, n = 11 in .*scores\.npy$/],
    ["k of 0", ["--k", "0"], /--k: 0, expected an integer >= 1$/],
    ["k in words", ["--k", "five"], /--k: "five" is not a number$/],
    ["tau of 0", ["--tau", "0"], /--tau: 0, expected a number > 0$/],
    ["alpha without end", ["--alpha", "Infinity"], /--alpha: Infinity, expected a finite number$/],
    [
      "an unknown loss",
      ["--loss", "hinge"],
      /argument 'hinge' is invalid\. Allowed choices are smooth-topk, topk, cross-entropy\.$/,
    ],
    ["an unknown option", ["--kk", "3"], /unknown option '--kk'/],
    [
      "an unknown backend",
      ["--backend", "abacus"],
      /--backend: abacus is unknown, expected one of cpu, wasm, gpu, webasm, webgpu$/,
    ],
    ["results that are no .npy", ["--grad", path("g.txt")], /--grad: .*g\.txt: results are written as \.npy only$/],
    ["a folder that is not there", ["--grad", path("no/g.npy")], /--grad: .*g\.npy: no such folder$/],
  ];

  it.each(table)("%s", (_, extra, message) => {
    const args = typeof extra === "function" ? extra() : extra;
    // A later option replaces an earlier one.
    const { status, stdout, stderr } = smoothTopk(["eval", ...files, ...args]);
    expect(stderr).toMatch(/^smooth-topk: [^\n]*\n$/);
    expect(stderr.trimEnd()).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it("missing options, an unknown command", () => {
    for (const args of [["eval"], ["eval", "--scores", path("scores.npy")], ["evaluate"]]) {
      const { status, stderr } = smoothTopk(args);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^smooth-topk: [^\n]*\n$/);
    }
  });

  it("leaves no file behind, and an old one as it was", () => {
    writeFileSync(path("old.npy"), "old");
    const bad = write("late.npy", scoresOf(36, 0, NaN));
    const out = ["--grad", path("old.npy"), "--per-sample", path("new.npy"), "--force"];
    expect(smoothTopk(["eval", ...files, "--scores", bad, ...out]).status).toBe(2);
    expect(readFileSync(path("old.npy"), "utf8")).toBe("old");
    expect(existsSync(path("new.npy"))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
