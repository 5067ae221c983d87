export { type Example, examplesOf } from "./examples-of.ts";
export { expectCommentsPrinted, expectOutputPrinted } from "./expect-printed.ts";
