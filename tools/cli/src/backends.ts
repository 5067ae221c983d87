/**
 * The backends a command may be asked for, and those that this build has.
 */
import { BadInput } from "./bad-input.ts";

const KNOWN = ["cpu", "gpu", "webasm", "webgpu"];
const AVAILABLE = ["cpu"];

/** Refuses a backend that is unknown or not there; nothing is put in its place. */
export function checkBackend(name: string): void {
  if (!KNOWN.includes(name)) throw new BadInput(`--backend: ${name} is unknown, expected one of ${KNOWN.join(", ")}`);
  if (!AVAILABLE.includes(name)) {
    throw new BadInput(`--backend: ${name} is not available in this build, which has ${AVAILABLE.join(", ")}`);
  }
}
