/**
 * The images of a .zip, each unpacked when it is read, and checked against its checksum.
 */
import { openZip as openMembers } from "@smooth-topk/array-files";
import { type ImageFile, isImagePath } from "./image-tree.ts";

/** No image file is larger; a record that claims more is damaged or made to fill the memory. */
const LARGEST = 2 ** 27;

export interface OpenZip {
  readonly files: ImageFile[];
  close(): void;
}

/** @throws BadInput naming the archive and what is wrong with it: a name that occurs twice, for one. */
export async function openZip(path: string): Promise<OpenZip> {
  const zip = await openMembers(path);
  const images = zip.members.filter((member) => isImagePath(member.path));
  return {
    files: images.map((member) => ({ path: member.path, read: () => member.read(LARGEST) })),
    close: () => zip.close(),
  };
}
