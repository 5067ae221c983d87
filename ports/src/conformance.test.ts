/**
 * The modules pass the conformance kit, as a user runs it.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ALL_MODES, environments, missingModules } from "./python.ts";

const CLI = fileURLToPath(new URL("../../tools/cli/bin/smooth-topk.js", import.meta.url));

// JAX compiles anew for every shape, for minutes: by hand, as ports/README.md says.
const found = environments("the conformance test");
describe.each(found.filter(({ module }) => module !== "jax"))(
  "ports/python: $name",
  ({ module, python, variables }) => {
    it("passes the conformance kit", async () => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [CLI, "conformance", "--json", "--timeout", "60", "--", python, "-m", "smooth_topk.serve", module],
        { maxBuffer: 2 ** 26, env: variables },
      );
      expect(JSON.parse(stdout)).toMatchObject({ passed: true });
    });
  },
);

it.skipIf(!ALL_MODES && missingModules(found).length > 0)("every module is judged", () => {
  expect(missingModules(found)).toEqual([]);
});
