import { loadVectors, runConformance } from "@smooth-topk/conformance/runner";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { ready, setBackend } from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { tensorPort } from "../testing/tensor-port.ts";

setThreadsCount(1);

it.each(["cpu", "wasm"])("the conformance kit finds nothing wrong on %s", async (backend) => {
  await setBackend(backend);
  await ready();
  const files = loadVectors().filter((file) => ["smooth_topk_loss", "topk_loss"].includes(file.function));
  const { passed, failures } = await runConformance(tensorPort(), files, { dtypes: ["float32"] });
  expect(failures.map((f) => `${f.id}: ${f.reason}`.slice(0, 200))).toEqual([]);
  expect(passed).toBe(true);
});
