/**
 * NumPy's .npz: a .zip of .npy files. One array is chosen by `file.npz:name`.
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.savez.html. A stored array is read where it lies, after its
 * checksum; a compressed one is unpacked into a temporary file.
 */
import type { ArraySource } from "./array-source.ts";
import { BadInput } from "./bad-input.ts";
import { openNpy } from "./npy.ts";
import { openRegular } from "./regular-file.ts";
import { temporaryCopy } from "./temporary-copy.ts";
import { openZip, type ZipMember } from "./zip-members.ts";

/** Opens one array; without a name, the archive must hold just one. */
export async function openNpz(path: string, array: string | null): Promise<ArraySource> {
  const zip = await openZip(path);
  try {
    const arrays = new Map<string, ZipMember>();
    for (const member of zip.members) {
      const name = member.path.replace(/\.npy$/, "");
      if (arrays.has(name)) throw new BadInput(`${path}: holds the array ${JSON.stringify(name)} twice`);
      arrays.set(name, member);
    }
    const names = [...arrays.keys()];
    const listed = `it holds ${names.length === 0 ? "none" : names.slice(0, 20).join(", ")}`;
    if (array === null && names.length !== 1) {
      throw new BadInput(`${path}: name the array, as in ${path}:NAME; ${listed}`);
    }
    const chosen = array ?? names[0];
    const member = arrays.get(chosen);
    if (member === undefined) throw new BadInput(`${path}: no array ${JSON.stringify(chosen)}; ${listed}`);
    return await openMember(`${path}:${chosen}`, path, member);
  } finally {
    zip.close();
  }
}

async function openMember(name: string, path: string, member: ZipMember): Promise<ArraySource> {
  const offset = member.stored ? await member.offset() : 0;
  const file = member.stored ? (await openRegular(path)).file : await temporaryCopy((copy) => member.copyTo(copy));
  try {
    return await openNpy(name, file, member.size, offset);
  } catch (error) {
    await file.close();
    throw error;
  }
}
