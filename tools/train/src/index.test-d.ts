import { expectTypeOf } from "vitest";
import { type ExperimentOptions, LOSSES, type LossName, resultTable, runExperiment, type Results } from "./index.ts";

expectTypeOf<LossName>().toEqualTypeOf<"cross-entropy" | "smooth-topk" | "topk">();
expectTypeOf(LOSSES).toExtend<readonly LossName[]>();
expectTypeOf(runExperiment).parameter(0).toEqualTypeOf<ExperimentOptions>();
expectTypeOf(runExperiment).returns.resolves.toEqualTypeOf<Results>();
expectTypeOf(resultTable).returns.toBeString();
// A summary has no gain where there is nothing to compare with.
expectTypeOf<Results["summary"][number]["gain"]>().toBeNullable();
// @ts-expect-error a loss of another name
expectTypeOf<ExperimentOptions["losses"][number]>().toEqualTypeOf<"hinge">();
