/** What the user gave is wrong: one line on standard error, exit status 2. */
export class BadInput extends Error {}

/** A system error in words: "no such file", "is a directory", ... */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EISDIR":
      return "is a directory, expected a file";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOSPC":
      return "no space left on the device";
    case "ENOTDIR":
      return "part of the path is not a directory";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
