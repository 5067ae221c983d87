export { contractOf, type RowContract, type Tolerance } from "./contract.ts";
export { type Dtype, DTYPES, FLOOR, roundTo, UNIT } from "./dtypes.ts";
export { errorInU, largestErrorInU, UNIT_ROUNDOFF } from "./error-in-u.ts";
export { type Answer, type Bar, judge, type NumberError, type Verdict } from "./runner/judge.ts";
export { FUNCTIONS } from "./vectors/vector-file.ts";
export type {
  EspInput,
  Expectation,
  FunctionName,
  Input,
  JsonNumber,
  LossInput,
  Note,
  Output,
  TestCase,
  VectorFile,
} from "./vectors/vector-file.ts";
