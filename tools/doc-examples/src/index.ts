export { compileExamples } from "./compile-examples.ts";
export { type DocstringExample, docstringExamples } from "./docstring-examples.ts";
export { type Example, examplesOf } from "./examples-of.ts";
export { expectCommentsPrinted, expectOutputPrinted } from "./expect-printed.ts";
