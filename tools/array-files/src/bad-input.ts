/** What the user gave is wrong: one line on standard error, exit status 2. */
export class BadInput extends Error {}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "part of the path is not a folder",
  EISDIR: "is a folder, expected a file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOSPC: "no space left on the device",
  EEXIST: "exists already",
  ELOOP: "symbolic links go round in a circle",
  EROFS: "is on a file system that cannot be written",
  ENXIO: "nobody is at the other end of this pipe",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
};

/** A system error in words. */
export function systemReason(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
