/** Reads whole arrays for tests. */
import type { ArraySource } from "../src/array-source.ts";

export async function readAll(source: ArraySource, rowsPerBlock = 3): Promise<number[]> {
  const out: number[] = [];
  for await (const block of source.blocks(rowsPerBlock)) out.push(...block);
  await source.close();
  return out;
}

/** The message of what a promise rejects with; fails where it does not. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}
