/**
 * The properties on WebGPU in Node: on the software adapter that scripts/test.mjs finds, or with SMOOTH_TOPK_GPU=1 on the
 * machine's own GPU, where software is a failure.
 */
import { describe, expect, it } from "vitest";
import { describeBackend } from "../testing/backend-properties.ts";
import { createGpuBackend } from "./index.ts";
import { provideWebgpu, type WebgpuAdapter } from "./node.ts";

const { SMOOTH_TOPK_GPU, SMOOTH_TOPK_ALL_MODES, SMOOTH_TOPK_DEEP } = process.env;
const onGpu = SMOOTH_TOPK_GPU === "1";
const required = onGpu || SMOOTH_TOPK_ALL_MODES === "1";

const answer: WebgpuAdapter | Error = await provideWebgpu().catch((error: unknown) => error as Error);
console.log(
  answer instanceof Error
    ? `${required ? "failed" : "skipped"}: webgpu in Node: ${answer.message}`
    : `webgpu in Node runs on ${answer.name}${answer.software ? ", software" : ""}`,
);

describe.skipIf(answer instanceof Error && !required)("WebGPU in Node", () => {
  it("has an adapter, and where a GPU was asked for it is one", () => {
    expect(answer).not.toBeInstanceOf(Error);
    if (onGpu) expect(answer).toMatchObject({ software: false });
  });

  const size = onGpu || SMOOTH_TOPK_DEEP === "1" ? { shapes: 20, runs: 20 } : { shapes: 2, runs: 4 };
  describeBackend("webgpu", () => createGpuBackend({ mode: "webgpu" }), size);
});
