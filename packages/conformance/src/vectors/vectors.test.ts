import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DTYPES, holds } from "../dtypes.ts";
import { largestErrorInU } from "../error-in-u.ts";
import { createExactFunctions, type ExactFunctions } from "./exact-results.ts";
import { invalidCases } from "./invalid-cases.ts";
import { loadVectors } from "./load-vectors.ts";
import { drawnCases, judgeByOracle } from "./make-case.ts";
import { notes } from "./notes.ts";
import { fromJson, type JsonNumber, numbersOf, type TestCase } from "./vector-file.ts";
import { vectorText, VERSION } from "./vector-text.ts";

const files = loadVectors();
const all = files.flatMap(({ tests }) => tests);
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

describe("the schema", () => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  const validate = ajv.compile(JSON.parse(read("../../schemas/vectors.schema.json")) as object);
  const isValid = (value: unknown): boolean => validate(structuredClone(value));

  it.each(files.map((file) => ({ name: file.function, file })))("admits the vectors of $name", ({ file }) => {
    isValid(file);
    expect(validate.errors ?? []).toEqual([]);
  });

  it("refuses a file without version, a case without digits, and a case that must be refused but has results", () => {
    const [file] = files;
    const [first] = file.tests;
    const withCase = (test: object): object => ({ ...file, tests: [test] });
    expect(isValid(withCase(first))).toBe(true);
    expect(isValid({ ...file, version: undefined })).toBe(false);
    const { digits: _, ...bare } = first;
    expect(isValid(withCase(bare))).toBe(false);
    expect(isValid(withCase({ ...first, result: "invalid" }))).toBe(false);
    expect(isValid(withCase({ ...first, id: "log_esp-paper-1" }))).toBe(false);
    expect(isValid(withCase({ ...first, dtypes: ["float16"] }))).toBe(false);
    expect(isValid(withCase({ ...first, digits: { ...first.digits, loss: ["1.0"] } }))).toBe(false);
  });
});

describe("the vectors", () => {
  it("are at least 500, of one version, with ids of their own", () => {
    expect(all.length).toBeGreaterThanOrEqual(500);
    expect(new Set(files.map(({ version }) => version))).toEqual(new Set([VERSION]));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const { tests, numberOfTests } of files) expect(tests.length).toBe(numberOfTests);
  });

  it("explain each flag that they use, and no other", () => {
    for (const file of files) {
      const used = new Set(file.tests.flatMap(({ flags }) => flags));
      expect(Object.keys(file.notes)).toEqual([...used].sort());
      for (const flag of used) expect(file.notes[flag]).toEqual(notes[flag]);
    }
    expect(new Set(all.flatMap(({ flags }) => flags))).toEqual(new Set(Object.keys(notes)));
  });

  const numbersIn = ({ input }: TestCase): number[] =>
    "scores" in input
      ? [...numbersOf(input.scores.flat()), fromJson(input.alpha) ?? NaN, fromJson(input.tau ?? 1) ?? NaN]
      : [...numbersOf(input.x.flat()), ...numbersOf(input.v?.flat() ?? [])];

  it("are for the precisions that hold their inputs exactly, and no function is without cases for each", () => {
    for (const test of all.filter(({ result }) => result !== "invalid")) {
      expect(test.dtypes).toEqual(DTYPES.filter((dtype) => holds(dtype, numbersIn(test))));
    }
    for (const { tests } of files) {
      for (const dtype of DTYPES)
        expect(tests.filter((test) => test.dtypes.includes(dtype)).length).toBeGreaterThan(30);
    }
  });

  // 40 digits determine the nearest double but for one value in 10^23, and for exact midpoints: where k entries are left,
  // log sigma_k is their sum, which may be one. There the two are neighbours, 2 u apart at most.
  it("have digits whose nearest doubles are the expected values", () => {
    for (const { id, flags, input, expected = {}, digits = {} } of all) {
      for (const [result, rows] of Object.entries(digits)) {
        const doubles = [expected[result]].flat(2).map((value) => fromJson(value) ?? NaN);
        const mayBeMidpoint =
          result === "log_sigma" && "x" in input && input.x.some((row) => left(row) <= Number(input.k));
        // So may a loss that is its margin and an exponentially small rest.
        const mayBeMargin = result === "loss" && flags.some((flag) => flag === "MixedScales" || flag === "EndsOfRange");
        const largest = largestErrorInU([rows].flat(2).map(Number), doubles);
        expect([id, largest]).toEqual([id, (mayBeMidpoint || mayBeMargin) && largest <= 2 ? largest : 0]);
      }
    }
  });
  const left = (row: readonly JsonNumber[]): number => row.filter((entry) => entry !== "-Infinity").length;

  it("are written as the generator writes them", () => {
    for (const file of files) expect(read(`../../vectors/${file.function}.json`)).toBe(vectorText(file));
  });
});

describe("the oracle", () => {
  let exact: ExactFunctions;
  beforeAll(async () => {
    exact = await createExactFunctions();
  });
  afterAll(() => exact.destroy());

  it.each(files.map((file) => ({ name: file.function, tests: file.tests })))(
    "makes every seventh case of $name again, to the bit",
    ({ name, tests }) => {
      const again = [...drawnCases(name)];
      expect(tests.map(({ id }) => id)).toEqual([...again, ...invalidCases(name)].map(({ id }) => id));
      expect(tests.slice(again.length)).toEqual(invalidCases(name));
      again.forEach((given, at) => {
        if (at % 7 === 3) expect(judgeByOracle(exact, given)).toEqual(tests[at]);
      });
    },
  );
});
