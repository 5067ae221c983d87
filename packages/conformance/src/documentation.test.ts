import { readFileSync } from "node:fs";
import { examplesOf, expectOutputPrinted } from "@smooth-topk/doc-examples";
import { describe, expect, it } from "vitest";
import { portOfSteps } from "../testing/ports/port-of-steps.ts";
import { mutants } from "../testing/ports/mutants.ts";
import type { Request } from "./runner/port.ts";
import * as runner from "./runner.ts";

const page = new URL("../README.md", import.meta.url);
const examples = examplesOf(page);
const readme = readFileSync(page, "utf8");

describe("README.md", () => {
  it("shows the output of its example", async () => {
    const [example, output] = examples.filter(({ language }) => ["js", "text"].includes(language));
    expect([example.language, output.language]).toEqual(["js", "text"]);
    await expectOutputPrinted(example.code, output.code, { "@smooth-topk/conformance/runner": runner });
  });

  it("shows a case as the file has it", () => {
    const shown = examples.find(({ language }) => language === "json");
    const [file] = runner.loadVectors();
    expect(JSON.parse(shown?.code ?? "")).toEqual(file.tests.find(({ id }) => id === "smooth_topk_loss-paper-3"));
  });

  it("counts the mutants", () => {
    expect(readme).toContain(`${mutants.length} ports with one mistake each`);
  });

  it("answers the requests that it shows as it shows", async () => {
    const lines = readme.split("\n");
    const at = (sign: string): unknown[] =>
      lines.filter((line) => line.startsWith(`${sign} {"id"`)).map((line) => JSON.parse(line.slice(2)) as unknown);
    const [requests, answers] = [at(">"), at("<")];
    expect(requests.length).toBe(4);
    const replies = await portOfSteps().exchange(requests as Request[], true);
    replies.forEach((reply, i) => {
      const { error, output } = answers[i] as { error?: string; output?: object };
      const got = reply.failure === undefined ? reply.answer : {};
      expect(got.error === undefined).toBe(error === undefined);
      for (const [name, rows] of Object.entries(output ?? {})) {
        const actual = [(got.output as Record<string, number[][]>)[name]].flat(2);
        [rows as number[][]].flat(2).forEach((value, j) => expect(actual[j]).toBeCloseTo(value, 9));
      }
    });
  });
});
