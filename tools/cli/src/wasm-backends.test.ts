import { loadVectors, runConformance } from "@smooth-topk/conformance/runner";
import { expect, it } from "vitest";
import { openBackend } from "./backends.ts";
import { answer } from "./protocol.ts";

it("--backend wasm is within the contract on every vector, losses and refusals included", async () => {
  const backend = await openBackend("wasm");
  const port = {
    async exchange(requests: readonly object[]) {
      const replies = [];
      for (const request of requests) {
        replies.push({ answer: JSON.parse(await answer(JSON.stringify(request), backend)) as object });
      }
      return replies;
    },
    close: () => {},
  };
  const run = await runConformance(port, loadVectors(), { dtypes: ["float64"] });
  expect(run.failures).toEqual([]);
  expect(run.passed).toBe(true);
  expect(backend).toMatchObject({ name: "wasm", dtype: "float64" });
  await backend.destroy();
});
