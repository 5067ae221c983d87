/**
 * The commit of this software, where it runs from a checkout.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The commit's hash, with "+" if tracked files differ from it; null where this file is under no version control. */
export function commitOfThisSoftware(): string | null {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync("git", args, { cwd, encoding: "utf8" });
    return status === 0 ? stdout.trim() : null;
  };
  // Installed under somebody's node_modules, the repository around it is theirs and says nothing of this software.
  if (git("ls-files", "--error-unmatch", "../../package.json") === null) return null;
  const commit = git("rev-parse", "HEAD");
  if (commit === null) return null;
  return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}+`;
}
