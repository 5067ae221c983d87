/**
 * The test vectors of packages/conformance, and new cases of their families judged by the oracle as they are drawn. Vectors
 * that a port has to refuse are the losses', which check their arguments elsewhere.
 */
import { fuzz, loadVectors, runConformance, type Run } from "@smooth-topk/conformance/runner";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backendPort } from "../testing/backend-port.ts";
import { createWasmBackend } from "./index.ts";

const CASES = 300;
/** Functions of a backend; the hard loss is none. */
const FUNCTIONS = /^(log_esp|smooth_topk_loss)/;
const files = loadVectors().filter((file) => FUNCTIONS.test(file.function));

/** What is out of tolerance. Requests that have to be refused are the losses', which check labels, tau and alpha elsewhere. */
function failuresOf(run: Run): string[] {
  return run.outcomes
    .filter((outcome) => !outcome.passed && outcome.case.result === "valid")
    .map((outcome) => `${outcome.case.id}: ${outcome.reason}`);
}

const backends = [
  ["float64", 1],
  ["float32", 1],
  ["float64", 2],
  ["float32", 2],
] as const;

describe.each(backends)("%s, threads: %i", (dtype, threads) => {
  it("is within the contract on every vector", async () => {
    const backend = await createWasmBackend({ dtype, threads });
    expect(backend.threads).toBe(threads);
    const run = await runConformance(backendPort(backend), files, { dtypes: [dtype] });
    expect(failuresOf(run)).toEqual([]);
    expect(run.outcomes.length).toBeGreaterThan(300);
    backend.destroy();
  });
});

describe.each(["float64", "float32"] as const)("%s", (dtype) => {
  it(`is within the contract on ${CASES} new cases`, async () => {
    const backend = await createWasmBackend({ dtype });
    const seed = fc.readConfigureGlobal().seed ?? 1;
    const run = await fuzz(() => backendPort(backend), { count: CASES, seed, dtypes: [dtype], filter: FUNCTIONS });
    expect(failuresOf(run)).toEqual([]);
    backend.destroy();
  });
});
