import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { ready, setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { describe } from "vitest";
import { backendProperties } from "../testing/properties.ts";

describe.each(["webgl", "webgpu"])("on %s", (backend) => {
  backendProperties(async () => {
    if (!(await setBackend(backend))) throw new Error(`${backend} is not there`);
    await ready();
  });
});
