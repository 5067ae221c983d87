import { describe, expectTypeOf, it } from "vitest";
import {
  type Answer,
  type Bar,
  contractOf,
  type Dtype,
  judge,
  type TestCase,
  type Tolerance,
  type Verdict,
} from "./index.ts";
import {
  type CounterExample,
  fuzz,
  loadVectors,
  type Port,
  PortProcess,
  portOf,
  type Report,
  reportPage,
  reportTable,
  type Run,
  runConformance,
} from "./runner.ts";

describe("the runner", () => {
  it("takes a command or a function for a port", () => {
    expectTypeOf(new PortProcess(["python3", "port.py"], { timeout: 5 })).toExtend<Port>();
    expectTypeOf(portOf).parameters.toEqualTypeOf<[answer: (line: string) => string]>();
    // A command is a program and its arguments, not a line for a shell.
    expectTypeOf<string>().not.toExtend<ConstructorParameters<typeof PortProcess>[0]>();
  });

  it("gives a report that holds every outcome", () => {
    expectTypeOf(runConformance).returns.resolves.toEqualTypeOf<Run>();
    expectTypeOf<Run>().toExtend<Report>();
    expectTypeOf(reportTable).parameter(0).toEqualTypeOf<Report>();
    expectTypeOf(reportPage).returns.toBeString();
    expectTypeOf<Run["outcomes"][number]["dtype"]>().toEqualTypeOf<Dtype>();
    expectTypeOf(loadVectors()[0].tests[0]).toEqualTypeOf<TestCase>();
  });

  it("does not take a precision it does not know", () => {
    expectTypeOf<"float16">().not.toExtend<Dtype>();
    // @ts-expect-error float16 is none of them
    void runConformance(portOf(String), [], { dtypes: ["float16"] });
  });

  it("fuzzes with a count and a seed, both needed", () => {
    expectTypeOf(fuzz).returns.resolves.toHaveProperty("counterExample");
    expectTypeOf<CounterExample["case"]>().toEqualTypeOf<TestCase>();
    // @ts-expect-error a run without a seed could not be repeated
    void fuzz(() => portOf(String), { count: 10 });
  });
});

describe("judging without the runner", () => {
  it("takes a case, a precision and an answer", () => {
    expectTypeOf(judge).parameters.toEqualTypeOf<
      [test: TestCase, dtype: Dtype, answer: Answer, bar?: Bar | undefined]
    >();
    expectTypeOf(judge).returns.toEqualTypeOf<Verdict>();
    expectTypeOf(contractOf).returns.toExtend<
      Readonly<Record<string, (expected: readonly number[], row: number) => readonly Tolerance[]>>
    >();
  });
});
