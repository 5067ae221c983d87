/**
 * A copy of what can be read only once, such as standard input, in a file without a name: it is gone when it is closed,
 * or when the process ends in whatever way.
 */
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @param fill  writes the content. */
export async function temporaryCopy(fill: (file: FileHandle) => Promise<void>): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "smooth-topk-"));
  let file: FileHandle | undefined;
  try {
    file = await open(join(folder, "copy"), "wx+", 0o600);
    // Without its name it lives as long as it is open. Where a system keeps names of open files, it stays behind.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
    await fill(file);
    return file;
  } catch (error) {
    await file?.close();
    throw error;
  }
}
