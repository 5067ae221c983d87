/**
 * The files of a folder, at any depth.
 */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { BadInput, systemReason } from "@smooth-topk/array-files";
import type { ImageFile } from "./image-tree.ts";

export async function filesOfFolder(folder: string): Promise<ImageFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return {
        path: relative(folder, file).split(sep).join("/"),
        read: async () => {
          try {
            return await readFile(file);
          } catch (error) {
            throw new BadInput(`${file}: ${systemReason(error)}`);
          }
        },
      };
    });
}
