/**
 * `smooth-topk stdio`: serves the port protocol on standard input and output, one answer a request, in order.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { answer } from "./protocol.ts";

export async function serve(input: Readable, output: Writable): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    if (!output.write(`${answer(line)}\n`)) await once(output, "drain");
  }
}
