/**
 * The members of a .zip: each once, each as its archiver wrote it.
 *
 * A name that occurs twice, a checksum that does not fit and a size that its bytes cannot hold are refused.
 */
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { BadInput, systemReason } from "./bad-input.ts";
import { openRegular } from "./regular-file.ts";

/** Deflate holds at most 1032 bytes in one. */
const DEFLATE_RATIO = 1032;
/** The central directory is held in memory. */
const MOST_MEMBERS = 2_000_000;

export interface ZipMember {
  /** As the archive writes it, with slashes. */
  readonly path: string;
  /** Unpacked, in bytes. */
  readonly size: number;
  /** Whether its bytes lie in the archive as they are. */
  readonly stored: boolean;
  /** All of it. @throws BadInput if it is larger than `limit`, or damaged. */
  readonly read: (limit: number) => Promise<Buffer>;
  /** Copies it into an open file. @throws BadInput if it is damaged. */
  readonly copyTo: (file: FileHandle) => Promise<void>;
  /** Where a stored member's bytes begin in the archive, once their checksum is right. */
  readonly offset: () => Promise<number>;
}

export interface OpenZip {
  readonly members: ZipMember[];
  close(): void;
}

/** @throws BadInput naming the archive and what is wrong with it. */
export async function openZip(path: string): Promise<OpenZip> {
  const { file } = await openRegular(path);
  await file.close();
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { autoClose: false });
    if (zip.entryCount > MOST_MEMBERS) {
      throw new BadInput(`${path}: claims ${zip.entryCount} members, expected at most ${MOST_MEMBERS}`);
    }
    const members = new Map<string, ZipMember>();
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith("/")) continue;
      if (members.has(entry.fileName)) throw new BadInput(`${path}: holds ${entry.fileName} twice`);
      members.set(entry.fileName, memberOf(path, zip, entry));
    }
    return { members: [...members.values()], close: () => zip?.close() };
  } catch (error) {
    zip?.close();
    throw damaged(path, error);
  }
}

function memberOf(archive: string, zip: ZipFile, entry: Entry): ZipMember {
  const where = `${archive}: ${entry.fileName}`;
  const { uncompressedSize: size, compressedSize } = entry;

  /** Its bytes in turn, checked at the end. */
  async function* bytes(): AsyncGenerator<Buffer> {
    if (size > compressedSize * DEFLATE_RATIO + 64) {
      throw new BadInput(
        `${where}: claims ${size} bytes of ${compressedSize} compressed ones, more than they can hold`,
      );
    }
    let sum = 0;
    try {
      const stream: Readable = await zip.openReadStreamPromise(entry);
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        sum = crc32(chunk, sum);
        yield chunk;
      }
    } catch (error) {
      throw damaged(where, error);
    }
    if (sum !== entry.crc32) throw new BadInput(`${where}: damaged .zip: its checksum does not fit its bytes`);
  }

  return {
    path: entry.fileName,
    size,
    stored: entry.compressionMethod === 0 && !entry.isEncrypted(),
    read: async (limit) => {
      if (size > limit) throw new BadInput(`${where}: claims ${size} bytes, expected at most ${limit}`);
      const out = Buffer.allocUnsafe(size);
      let at = 0;
      for await (const chunk of bytes()) at += chunk.copy(out, at);
      return out;
    },
    copyTo: async (file) => {
      for await (const chunk of bytes()) await file.appendFile(chunk);
    },
    offset: async () => {
      for await (const _ of bytes());
      return (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
    },
  };
}

function damaged(where: string, error: unknown): Error {
  if (error instanceof BadInput) return error;
  const { code } = error as NodeJS.ErrnoException;
  const isSystem = code !== undefined && !code.startsWith("Z_");
  return new BadInput(`${where}: ${isSystem ? "" : "damaged .zip: "}${systemReason(error)}`);
}
