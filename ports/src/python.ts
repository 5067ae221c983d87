/**
 * The modules of ports/python, and the Pythons that test them.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A Python that can import a module of the distribution, and its framework. */
export interface Environment {
  /** The module, or "MODULE-oldest" with the oldest version of its framework that is supported. */
  readonly name: string;
  readonly module: "numpy" | "torch" | "jax";
  readonly python: string;
  /** Finds the distribution: in the sources, or where it is installed by itself. */
  readonly variables: NodeJS.ProcessEnv;
}

const MODULES = [
  { module: "numpy", debian: "python3-numpy" },
  { module: "torch", debian: "python3-torch" },
  { module: "jax", debian: undefined },
] as const;

/** Path in the folder of the ports. */
export function portPath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/**
 * One environment for each module: the Python that SMOOTH_TOPK_PYTHON names, python3, or the system's python3, where
 * Debian's packages are and which need not be the first on the path; the distribution is taken from its sources.
 * Says on standard output what none of them has.
 *
 * With SMOOTH_TOPK_PYTHON_ENVIRONMENTS=FOLDER, those that ports/python/environments.py made there, each with the wheel
 * installed.
 *
 * @param also a module that the tests need besides the framework.
 */
export function environments(purpose: string, also?: string): Environment[] {
  const variables = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const folder = process.env.SMOOTH_TOPK_PYTHON_ENVIRONMENTS;
  if (folder !== undefined) return installed(folder, variables);
  const found: Environment[] = [];
  const path = [portPath("python/src"), ...(process.env.PYTHONPATH ? [process.env.PYTHONPATH] : [])].join(delimiter);
  for (const { module, debian } of MODULES) {
    const needed = also === undefined ? module : `${module}, ${also}`;
    const candidates = [process.env.SMOOTH_TOPK_PYTHON, "python3", "/usr/bin/python3"].filter((c) => c !== undefined);
    const python = candidates.find((candidate) => spawnSync(candidate, ["-c", `import ${needed}`]).status === 0);
    if (python === undefined) {
      const hint = debian === undefined ? "" : ` (Debian: apt-get install ${debian}${also ? ` python3-${also}` : ""})`;
      console.log(`${purpose} of ports/python: skipped for ${module}, no python3 with ${needed}${hint}`);
    } else {
      found.push({ name: module, module, python, variables: { ...variables, PYTHONPATH: path } });
    }
  }
  return found;
}

/** FOLDER/MODULE and FOLDER/MODULE-oldest are virtual environments. */
function installed(folder: string, variables: NodeJS.ProcessEnv): Environment[] {
  return MODULES.flatMap(({ module }) =>
    ["", "-oldest"].flatMap((age) => {
      const python = join(folder, `${module}${age}`, "bin", "python");
      return existsSync(python) ? [{ name: `${module}${age}`, module, python, variables }] : [];
    }),
  );
}

/** The modules that have no environment. JAX, of which Debian has no package, counts where .ci/run has made them. */
export function missingModules(found: readonly Environment[]): string[] {
  return MODULES.map(({ module }) => module)
    .filter((module) => module !== "jax" || process.env.SMOOTH_TOPK_PYTHON_ENVIRONMENTS !== undefined)
    .filter((module) => found.every((environment) => environment.module !== module));
}

/** What is missing is a failure. */
export const ALL_MODES: boolean = process.env.SMOOTH_TOPK_ALL_MODES === "1";
