/**
 * Every port of ours speaks the protocol as its schema has it: the handshake, an answer and a refusal.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { environments, portPath } from "./python.ts";

interface Server {
  readonly name: string;
  readonly command: readonly string[];
  readonly variables?: NodeJS.ProcessEnv;
  readonly language: string;
}

const schema = fileURLToPath(import.meta.resolve("@smooth-topk/conformance/schemas/protocol.schema.json"));
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
const validate = ajv.compile(JSON.parse(readFileSync(schema, "utf8")) as object);

const scores = [
  [0.5, -1, 2],
  [1, 1, 1],
];
const requests: readonly object[] = [
  { id: 0, function: "describe" },
  { id: 1, function: "smooth_topk_loss", dtype: "float64", input: { scores, labels: [0, 2], k: 1, tau: 1, alpha: 1 } },
  { id: 2, function: "topk_loss", dtype: "float64", input: { scores, labels: [0, 2], k: 1, alpha: 1 } },
  { id: 3, function: "log_esp", dtype: "float64", input: { x: [[0, "-Infinity"]], k: 2 } },
  { id: 4, function: "log_esp_hvp", dtype: "float64", input: { x: [[0, 1]], k: 1, v: [[1, 0]] } },
  { id: 5, function: "log_esp", dtype: "float64", input: { x: [[0, 1]], k: 3 } },
];

const cli = portPath("../tools/cli/bin/smooth-topk.js");
const hasC = ["make", "cc"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
const servers: readonly Server[] = [
  { name: "smooth-topk stdio", command: [process.execPath, cli, "stdio"], language: "TypeScript" },
  ...(hasC ? [{ name: "ports/c", command: [portPath("c/serve")], language: "C99" }] : []),
  ...environments("the protocol test").map(({ name, module, python, variables }): Server => ({
    name: `ports/python: ${name}`,
    command: [python, "-m", "smooth_topk.serve", module],
    variables,
    language: "Python",
  })),
];

const errorsOf = (message: unknown): unknown[] => (validate(message) ? [] : (validate.errors ?? []));

it("the schema admits the requests, and neither an unknown function nor a number as text", () => {
  expect(requests.flatMap(errorsOf)).toEqual([]);
  expect(errorsOf({ id: 1, function: "sigma", dtype: "float64", input: {} })).not.toEqual([]);
  expect(errorsOf({ id: 1, output: { loss: ["1"], grad: [[0]] } })).not.toEqual([]);
  expect(errorsOf({ id: 0, output: { name: "x", version: "1", functions: ["log_esp"], dtypes: [] } })).not.toEqual([]);
});

describe.each(servers)("$name", ({ command: [program, ...args], variables, language }) => {
  it("answers as the schema has it, and describes itself", { timeout: 60_000 }, () => {
    if (language === "C99") execFileSync("make", ["-C", portPath("c"), "serve"], { stdio: "pipe" });
    const { stdout } = spawnSync(program, args, {
      input: requests.map((request) => `${JSON.stringify(request)}\n`).join(""),
      encoding: "utf8",
      env: variables ?? process.env,
    });
    const answers = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; output?: object; error?: string });
    expect(answers.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(answers.flatMap(errorsOf)).toEqual([]);
    expect(answers.map(({ error }) => error !== undefined)).toEqual([false, false, false, false, false, true]);
    expect(answers[0].output).toMatchObject({
      language,
      functions: ["smooth_topk_loss", "topk_loss", "log_esp", "log_esp_hvp"],
    });
    expect(answers.slice(1, 5).map(({ output }) => Object.keys(output ?? {}))).toEqual([
      ["loss", "grad"],
      ["loss", "grad"],
      ["log_sigma", "inclusion"],
      ["hvp"],
    ]);
  });
});
