/**
 * The ports, and the Python of this machine that has what each needs.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Port {
  /** The folder beside `src`. */
  readonly name: string;
  /** What it imports. */
  readonly module: string;
  /** Debian's package of it; JAX has none. */
  readonly debian?: string;
}

export const PORTS: readonly Port[] = [
  { name: "numpy", module: "numpy", debian: "python3-numpy" },
  { name: "pytorch", module: "torch", debian: "python3-torch" },
  { name: "jax", module: "jax" },
];

/** Path in the folder of the ports. */
export function portPath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/**
 * A Python that can import the module: the one that SMOOTH_TOPK_PYTHON names, python3, or the system's python3, where
 * Debian's packages are and which need not be the first on the path. Says on standard output where there is none.
 *
 * @throws Error if there is none, SMOOTH_TOPK_ALL_MODES is 1 and the module is a package of Debian.
 */
export function findPython({ name, module, debian }: Port, purpose: string): string | undefined {
  const candidates = [process.env.SMOOTH_TOPK_PYTHON, "python3", "/usr/bin/python3"].filter((c) => c !== undefined);
  const python = candidates.find((candidate) => spawnSync(candidate, ["-c", `import ${module}`]).status === 0);
  if (python === undefined) {
    const hint = debian === undefined ? "" : ` (Debian: apt-get install ${debian})`;
    const message = `${purpose} of ports/${name}: skipped, no python3 with ${module}${hint}`;
    if (process.env.SMOOTH_TOPK_ALL_MODES === "1" && debian !== undefined) throw new Error(message);
    console.log(message);
  }
  return python;
}
