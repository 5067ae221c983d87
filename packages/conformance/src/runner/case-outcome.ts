/** What a port answered to one case, judged. */
import type { Dtype } from "../dtypes.ts";
import type { FunctionName, TestCase } from "../vectors/vector-file.ts";
import type { NumberError } from "./judge.ts";
import type { Failure } from "./port.ts";

/** One case in one precision. */
export interface CaseOutcome {
  readonly case: TestCase;
  readonly function: FunctionName;
  readonly dtype: Dtype;
  readonly passed: boolean;
  /** Why not; empty where passed. */
  readonly reason: string;
  /** Where there is no answer to judge. */
  readonly failure?: Failure | undefined;
  /** Whether the port answered with an error. */
  readonly refused: boolean;
  readonly errors: readonly NumberError[];
}
