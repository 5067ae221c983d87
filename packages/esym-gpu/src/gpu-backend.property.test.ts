import { describeBackend } from "../testing/backend-properties.ts";
import { createGpuBackend } from "./index.ts";

describeBackend("cpu", () => createGpuBackend({ mode: "cpu" }));
describeBackend("webasm", () => createGpuBackend({ mode: "webasm" }));
