import { describeBackend } from "../testing/backend-properties.ts";
import { createGpuBackend } from "./index.ts";

describeBackend("cpu", () => createGpuBackend({ mode: "cpu" }));
describeBackend("webasm", () => createGpuBackend({ mode: "webasm" }));
// The exponentials as a GPU computes them.
describeBackend("webasm", () => createGpuBackend({ mode: "webasm", threads: false, exponentials: "device" }), {
  shapes: 4,
  runs: 8,
  variant: ", exponentials on the device",
});
