/**
 * The backends a command may be asked for, and those that this build has.
 */
import { Option } from "commander";
import { BadInput } from "@smooth-topk/array-files";

const KNOWN = ["cpu", "gpu", "webasm", "webgpu"];
const AVAILABLE = ["cpu"];

/** Refuses a backend that is unknown or not there; nothing is put in its place. */
export function checkBackend(name: string): void {
  if (!KNOWN.includes(name)) throw new BadInput(`--backend: ${name} is unknown, expected one of ${KNOWN.join(", ")}`);
  if (!AVAILABLE.includes(name)) {
    throw new BadInput(`--backend: ${name} is not available in this build, which has ${AVAILABLE.join(", ")}`);
  }
}

/** The option that names one. */
export function backendOption(): Option {
  return new Option("--backend <name>", "where to compute: cpu, gpu, webasm or webgpu").default("cpu");
}
