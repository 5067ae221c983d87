/**
 * Standard input as a file: it is copied, since every reader looks at its file more than once.
 */
import type { FileHandle } from "node:fs/promises";
import { BadInput } from "./bad-input.ts";
import { temporaryCopy } from "./temporary-copy.ts";

export interface StandardInput {
  readonly file: FileHandle;
  readonly size: number;
  /** By its first bytes. */
  readonly type: "npy" | "safetensors" | "parquet" | "csv";
}

let taken = false;

/** @throws BadInput at the second call: there is one standard input. */
export async function standardInput(): Promise<StandardInput> {
  if (taken) throw new BadInput("-: standard input can be read once only");
  taken = true;
  if (process.stdin.isTTY) throw new BadInput("-: standard input is a terminal, expected a file or a pipe");
  const file = await temporaryCopy(async (copy) => {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) await copy.appendFile(chunk);
  });
  try {
    const start = Buffer.alloc(9);
    const { bytesRead } = await file.read(start, 0, 9, 0);
    const { size } = await file.stat();
    return { file, size, type: typeOf(start.subarray(0, bytesRead)) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function typeOf(start: Buffer): StandardInput["type"] {
  const text = start.toString("latin1");
  if (text.startsWith("\x93NUMPY")) return "npy";
  if (text.startsWith("PAR1")) return "parquet";
  if (text.startsWith("PK\x03\x04")) throw new BadInput("-: an .npz cannot be read from standard input, name the file");
  return text[8] === "{" && text.slice(4, 8) === "\0\0\0\0" ? "safetensors" : "csv";
}
