import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { inclusionProbabilities, logEsp, logEspHvp } from "@smooth-topk/esym";
import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { describe, expect, it } from "vitest";
import { BIN, smoothTopk } from "../testing/spawn-cli.ts";
import { openBackend } from "./backends.ts";
import { answer } from "./protocol.ts";

interface Answer {
  id: unknown;
  output?: Record<string, unknown>;
  error?: string;
}
const cpu = await openBackend("cpu");
const ask = async (request: unknown): Promise<Answer> =>
  JSON.parse(await answer(JSON.stringify(request), cpu)) as Answer;

describe("the port protocol", () => {
  it("answers the loss and the gradient of each row's own loss", async () => {
    const scores = [
      [1, 2, 3, 0.1],
      [0, 0, 0, 0],
    ];
    const input = { scores, labels: [0, 3], k: 2, tau: 0.5, alpha: 1.5 };
    const { value, grad } = smoothTopkLossValueAndGrad(scores, [0, 3], {
      k: 2,
      tau: 0.5,
      alpha: 1.5,
      reduction: "none",
    });
    expect(await ask({ id: 1, function: "smooth_topk_loss", dtype: "float64", input })).toEqual({
      id: 1,
      output: { loss: [...value], grad: [[...grad.data].slice(0, 4), [...grad.data].slice(4)] },
    });
  });

  it("answers log sigma and inclusion probabilities, [] for a row without k-subsets", async () => {
    const input = {
      x: [
        [0, 1, 2],
        [0, "-Infinity", "-Infinity"],
      ],
      k: 2,
    };
    expect(await ask({ id: "b", function: "log_esp", dtype: "float64", input })).toEqual({
      id: "b",
      output: {
        log_sigma: [[...logEsp([0, 1, 2], 2).data], [0, 0, "-Infinity"]],
        inclusion: [[...inclusionProbabilities([0, 1, 2], 2).data], []],
      },
    });
  });

  it("answers the hard loss", async () => {
    expect(
      (await ask({ id: 1, function: "topk_loss", input: { scores: [[1, 2, 3]], labels: [0], k: 1 } })).output,
    ).toEqual({
      loss: [3],
      grad: [[-1, 0, 1]],
    });
  });

  it("answers Hessian-vector products, [] for a row without k-subsets", async () => {
    const x = [
      [0, 1, 2],
      [0, "-Infinity", "-Infinity"],
    ];
    const v = [
      [1, 0, -1],
      [1, 1, 1],
    ];
    const { output } = await ask({ id: 1, function: "log_esp_hvp", dtype: "float64", input: { x, k: 2, v } });
    expect(output).toEqual({ hvp: [[...logEspHvp([0, 1, 2], 2, [1, 0, -1]).data], []] });
  });

  it("describes itself, with the precisions of its backend", async () => {
    const described = {
      name: "smooth-topk stdio --backend cpu",
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      language: "TypeScript",
      functions: ["smooth_topk_loss", "topk_loss", "log_esp", "log_esp_hvp"],
      dtypes: ["float64", "float32", "bfloat16"],
    };
    const request = JSON.stringify({ id: 0, function: "describe" });
    expect(await ask({ id: 0, function: "describe" })).toEqual({ id: 0, output: described });
    const single = JSON.parse(await answer(request, { ...cpu, dtype: "float32" })) as Answer;
    expect(single.output?.["dtypes"]).toEqual(["float32", "bfloat16"]);
  });

  it("rounds inputs and outputs of bfloat16 requests to 8 bits", async () => {
    const { output } = await ask({ id: 1, function: "log_esp", dtype: "bfloat16", input: { x: [[1.001, 2]], k: 1 } });
    // 1.001 is nearest to 1; log(e + e^2) = 2.3133 lies between 2.3125 and 2.328125.
    expect(output?.["log_sigma"]).toEqual([[0, 2.3125]]);
  });

  it("rounds inputs and outputs of float32 requests to single precision", async () => {
    const { output } = await ask({ id: 1, function: "log_esp", dtype: "float32", input: { x: [[0.1, 0.2]], k: 1 } });
    const exact = logEsp([Math.fround(0.1), Math.fround(0.2)], 1).data;
    expect(output?.["log_sigma"]).toEqual([[0, Math.fround(exact[1])]]);
  });

  it.each([
    [
      "k = 9 of n = 5",
      { function: "smooth_topk_loss", input: { scores: [[1, 2, 3, 4, 5]], labels: [0], k: 9 } },
      "k must be at most n - 1: got k = 9, n = 5",
    ],
    [
      "an unknown function",
      { function: "magic", input: {} },
      'function is "magic", expected one of smooth_topk_loss, topk_loss, log_esp, log_esp_hvp',
    ],
    [
      "an inherited name",
      { function: "toString", input: {} },
      'function is "toString", expected one of smooth_topk_loss, topk_loss, log_esp, log_esp_hvp',
    ],
    ["no input", { function: "log_esp" }, "input is missing, expected an object"],
    ["no k", { function: "log_esp", input: { x: [[1]] } }, "k is missing, expected a number"],
    [
      "an unknown dtype",
      { function: "log_esp", dtype: "int8", input: {} },
      'dtype is "int8", expected one of float64, float32, bfloat16',
    ],
    [
      "text for a number",
      { function: "log_esp", input: { x: [[1, "two"]], k: 1 } },
      'x[0][1] is "two", expected a number',
    ],
    [
      "null for a number",
      { function: "log_esp", input: { x: [[1, null]], k: 1 } },
      "x[0][1] is null, expected a number",
    ],
    [
      "ragged rows",
      { function: "log_esp", input: { x: [[1, 2], [3]], k: 1 } },
      "x[1] has length 1, expected the length of row 0, 2",
    ],
    [
      "NaN",
      { function: "log_esp", input: { x: [[1, "NaN"]], k: 1 } },
      "x[0, 1] is NaN, expected a finite number or -Infinity",
    ],
    [
      "a label of text",
      { function: "topk_loss", input: { scores: [[1, 2]], labels: ["0"], k: 1 } },
      'labels[0] is "0", expected an integer',
    ],
    [
      "tau of 0",
      { function: "smooth_topk_loss", input: { scores: [[1, 2]], labels: [0], k: 1, tau: 0 } },
      "tau must be a number > 0: got tau = 0",
    ],
  ])("refuses %s", async (_, request, error) => {
    expect(await ask({ id: 7, ...request })).toEqual({ id: 7, error });
  });

  it("goes on after garbage, in order, to the end of its input", () => {
    const good = (id: number): string =>
      JSON.stringify({ id, function: "log_esp", dtype: "float64", input: { x: [[0, 0]], k: 1 } });
    const { status, stdout, stderr } = smoothTopk(
      ["stdio"],
      `${good(1)}\n\n{"id": 2\n[]\n"text"\n${good(3)}\r\n${good(4)}`,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Answer);
    expect(answers.map(({ id }) => id)).toEqual([1, null, null, null, 3, 4]);
    expect(answers.map(({ error }) => error !== undefined)).toEqual([false, true, true, true, false, false]);
  });

  it("answers a request of a megabyte, and thousands of them", () => {
    const x = [Array.from({ length: 60_000 }, (_, i) => Math.sin(i) * 3)];
    const line = JSON.stringify({ id: 1, function: "log_esp", dtype: "float64", input: { x, k: 3 } });
    const [first, ...rest] = smoothTopk(["stdio"], `${line}\n`.concat('{"id":2}\n'.repeat(5000)))
      .stdout.trimEnd()
      .split("\n");
    expect((JSON.parse(first) as { output: { log_sigma: number[][] } }).output.log_sigma[0]).toEqual([
      ...logEsp(x, 3).data,
    ]);
    expect(rest.length).toBe(5000);
  });

  it("answers a line beyond 64 MiB by one error and goes on", () => {
    const huge = Buffer.alloc(2 ** 26 + 1, "[");
    const next = Buffer.from('\n{"id":7,"function":"describe"}\n');
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, "stdio"], {
      input: Buffer.concat([huge, huge, next]),
      encoding: "utf8",
    });
    const [first, second, ...more] = stdout.trimEnd().split("\n");
    expect(first).toBe('{"id":null,"error":"the request is longer than 67108864 bytes"}');
    expect((JSON.parse(second) as Answer).id).toBe(7);
    expect([status, stderr, more]).toEqual([0, "", []]);
  });

  it("gives ids back as they are written, and refuses deep nesting by its id's lack", () => {
    const ids = ["9007199254740993", "1e400", '"a"', "1.0", '{"b":[1]}'];
    const lines = ids.map((id) => `{"id": ${id}, "function": "magic"}`);
    const { stdout } = smoothTopk(["stdio"], `${lines.join("\n")}\n${"[".repeat(100_000)}\n`);
    const answers = stdout.trimEnd().split("\n");
    expect(answers.slice(0, -1).map((text) => /^\{"id":(.*),"error":/.exec(text)?.[1])).toEqual(ids);
    expect(answers.at(-1)).toBe('{"id":null,"error":"the request is nested deeper than 16 levels"}');
  });

  it.skipIf(!existsSync("/dev/full"))("a full output is one line and status 2", () => {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(process.execPath, [BIN, "stdio"], {
      input: "{}\n",
      stdio: ["pipe", full, "pipe"],
      encoding: "utf8",
    });
    closeSync(full);
    expect([status, stderr]).toEqual([2, "smooth-topk: standard output: no space left on the device\n"]);
  });

  it("has the backends of the command line", () => {
    expect(smoothTopk(["stdio", "--backend", "cpu"]).status).toBe(0);
    expect(smoothTopk(["stdio", "--backend", "abacus"])).toMatchObject({ status: 2, stdout: "" });
  });
});
