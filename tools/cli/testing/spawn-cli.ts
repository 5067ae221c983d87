/**
 * The built command, run as a user runs it.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const BIN: string = fileURLToPath(new URL("../bin/smooth-topk.js", import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `environment` changes variables of this process. */
export function smoothTopk(
  args: readonly string[],
  input = "",
  environment: Readonly<Record<string, string>> = {},
): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    input,
    env: { ...process.env, ...environment },
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return { status, stdout, stderr };
}

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "smooth-topk-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
