/**
 * The ports pass the conformance kit, as a user runs it.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { findPython, PORTS, portPath } from "./python.ts";

const CLI = fileURLToPath(new URL("../../tools/cli/bin/smooth-topk.js", import.meta.url));

// JAX compiles anew for every shape, for minutes: by hand, as ports/README.md says.
describe.each(PORTS.filter(({ name }) => name !== "jax"))("ports/$name", (port) => {
  const python = findPython(port, "the conformance test");

  it.skipIf(python === undefined)("passes the conformance kit", async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [CLI, "conformance", "--json", "--timeout", "60", "--", python as string, portPath(`${port.name}/serve.py`)],
      { maxBuffer: 2 ** 26, env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ passed: true });
  });
});
