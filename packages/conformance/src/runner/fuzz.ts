/**
 * New cases from the families of the vectors, judged by the oracle as they are drawn. The first that a port fails is
 * shrunk. Needs the optional peer dependency gmp-wasm.
 */
import { type DrawnCase, drawCase, familiesOf, judgeByOracle } from "../vectors/make-case.ts";
import { DTYPES, type Dtype } from "../dtypes.ts";
import { createExactFunctions, type ExactFunctions } from "../vectors/exact-results.ts";
import type { Port } from "./port.ts";
import { type ConformanceOptions, type Run, outcomeOf, runConformance } from "./run-conformance.ts";
import { SeededDraw } from "../vectors/seeded-draw.ts";
import { type Shrunk, shrinkCase } from "./shrink-case.ts";
import { FUNCTIONS, type FunctionName, type TestCase, type VectorFile } from "../vectors/vector-file.ts";
import { caseText, VERSION } from "../vectors/vector-text.ts";

export interface FuzzOptions extends ConformanceOptions {
  /** How many cases. */
  readonly count: number;
  /** The same seed gives the same cases. */
  readonly seed: number;
  /** For shrinking, in seconds. Default 30. */
  readonly shrinkSeconds?: number | undefined;
}

export interface CounterExample {
  readonly function: FunctionName;
  readonly dtype: Dtype;
  readonly case: TestCase;
  /** As the vector files have it. */
  readonly text: string;
  readonly reason: string;
  /** How many cases the shrinking tried. */
  readonly tried: number;
}

export interface FuzzRun extends Run {
  readonly counterExample?: CounterExample | undefined;
}

/** Cases of long rows take the oracle seconds. */
const TOO_SLOW: ReadonlySet<string> = new Set([
  "coefficients",
  "many-classes",
  "levels",
  "light-heavy",
  "larger-k",
  "half-precision",
  "near-zero-larger-k",
]);
/** Draws a case wanted, where a filter by flags refuses most. */
const MOST_ATTEMPTS = 50;

interface FuzzCase {
  readonly drawn: DrawnCase;
  readonly test: TestCase;
  readonly dtype: Dtype;
}

/**
 * @param openPort  starts the port; once more for shrinking.
 * @throws Error if gmp-wasm is not installed.
 */
export async function fuzz(openPort: () => Port, options: FuzzOptions): Promise<FuzzRun> {
  const exact = await createExactFunctions();
  const port = openPort();
  try {
    const cases = drawAll(exact, options);
    const run = await runConformance(port, filesOf(cases), { dtypes: options.dtypes, functions: options.functions });
    const [first] = run.failures;
    if (first === undefined) return run;
    const found = cases.find(({ test }) => test.id === first.id) as FuzzCase;
    return { ...run, counterExample: await shrunkCase(exact, openPort, found, options) };
  } finally {
    port.close();
    exact.destroy();
  }
}

function drawAll(exact: ExactFunctions, { count, seed, dtypes = DTYPES, filter }: FuzzOptions): FuzzCase[] {
  const draw = new SeededDraw(`fuzz ${seed}`, "float64");
  const pick = <T>(values: readonly T[]): T => values[draw.integer(0, values.length - 1)];
  const kinds = FUNCTIONS.flatMap((name) =>
    familiesOf(name)
      .filter((family) => !TOO_SLOW.has(family.name))
      .map((family) => ({ name, family: family.name, count: family.count })),
  );
  // A filter names functions and families, or flags, which only a drawn case has.
  const named = kinds.filter(({ name, family }) => filter?.test(`${name}-${family}`) ?? true);
  const cases: FuzzCase[] = [];
  for (let attempt = 0; attempt < MOST_ATTEMPTS * count && cases.length < count; attempt++) {
    const { name, family, count: among } = pick(named.length > 0 ? named : kinds);
    const dtype = pick(dtypes);
    const number = draw.integer(0, among - 1);
    const id = `${name}-fuzz-${seed}-${cases.length + 1}`;
    const drawn = { ...drawCase(name, family, number, { seed: `${seed} ${attempt} `, dtype }), id };
    const test = judgeByOracle(exact, drawn);
    if (named.length === 0 && !test.flags.some((flag) => filter?.test(flag))) continue;
    // A constant of the family may need more bits than the precision has.
    if (test.dtypes.includes(dtype)) cases.push({ drawn, test: { ...test, dtypes: [dtype] }, dtype });
  }
  return cases;
}

function filesOf(cases: readonly FuzzCase[]): VectorFile[] {
  return FUNCTIONS.map((name) => {
    const tests = cases.filter(({ drawn }) => drawn.function === name).map(({ test }) => test);
    return {
      schema: "",
      version: `${VERSION}, fuzzed`,
      function: name,
      header: [],
      notes: {},
      numberOfTests: tests.length,
      tests,
    };
  });
}

async function shrunkCase(
  exact: ExactFunctions,
  openPort: () => Port,
  { drawn: found, dtype }: FuzzCase,
  { shrinkSeconds = 30 }: FuzzOptions,
): Promise<CounterExample> {
  const { function: name } = found;
  const port = openPort();
  let requests = 0;
  let reason = "";
  const remake = (drawn: DrawnCase["drawn"]): TestCase => judgeByOracle(exact, { ...found, drawn, flags: [] });
  const fails = async (drawn: DrawnCase["drawn"]): Promise<boolean> => {
    const test = remake(drawn);
    if (!test.dtypes.includes(dtype)) return false;
    const request = { id: ++requests, function: name, dtype, input: test.input };
    const [reply] = await port.exchange([request], false);
    const outcome = outcomeOf({ test, request }, reply);
    if (outcome.passed || outcome.failure === "not-run") return false;
    ({ reason } = outcome);
    return true;
  };
  let shrunk: Shrunk = { drawn: found.drawn, tried: 0 };
  try {
    if (await fails(found.drawn)) shrunk = await shrinkCase(found.drawn, dtype, fails, shrinkSeconds);
    // The last case tried is not the smallest that failed.
    if (shrunk.tried > 0) await fails(shrunk.drawn);
  } finally {
    port.close();
  }
  const test = { ...remake(shrunk.drawn), comment: `found by fuzzing: ${found.comment}` };
  return { function: name, dtype, case: test, text: caseText(test), reason, tried: shrunk.tried };
}
