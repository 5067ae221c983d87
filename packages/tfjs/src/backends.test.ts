import "@tensorflow/tfjs-backend-cpu";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { ready, setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { describe } from "vitest";
import { backendProperties } from "../testing/properties.ts";

setThreadsCount(1);

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  backendProperties(async () => {
    await setBackend(backend);
    await ready();
  });
});
