/**
 * The files of a .zip, each unpacked when it is read.
 */
import { buffer } from "node:stream/consumers";
import { BadInput, systemReason } from "@smooth-topk/array-files";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { type ImageFile, isImagePath } from "./image-tree.ts";

/** No image file is larger; a record that claims more is damaged or made to fill the memory. */
const LARGEST = 2 ** 28;

export interface OpenZip {
  readonly files: ImageFile[];
  close(): void;
}

/** @throws BadInput naming the archive and what is wrong with it. */
export async function openZip(path: string): Promise<OpenZip> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { autoClose: false });
    const files: ImageFile[] = [];
    for await (const entry of zip.eachEntry()) {
      if (isImagePath(entry.fileName)) files.push({ path: entry.fileName, read: unpack(path, zip, entry) });
    }
    return { files, close: () => zip?.close() };
  } catch (error) {
    zip?.close();
    throw damaged(path, error);
  }
}

function unpack(path: string, zip: ZipFile, entry: Entry): () => Promise<Buffer> {
  return async () => {
    const where = `${path}: ${entry.fileName}`;
    if (entry.uncompressedSize > LARGEST) {
      throw new BadInput(`${where}: claims ${entry.uncompressedSize} bytes, expected at most ${LARGEST}`);
    }
    try {
      return await buffer(await zip.openReadStreamPromise(entry));
    } catch (error) {
      throw damaged(where, error);
    }
  };
}

function damaged(where: string, error: unknown): BadInput {
  const { code } = error as NodeJS.ErrnoException;
  const isSystem = code !== undefined && !code.startsWith("Z_");
  return new BadInput(`${where}: ${isSystem ? "" : "damaged .zip: "}${systemReason(error)}`);
}
