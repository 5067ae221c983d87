/**
 * `smooth-topk stdio`: serves the port protocol on standard input and output, one answer per request, in order.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Backend } from "./backends.ts";
import { answer } from "./protocol.ts";

export async function serve(backend: Backend, input: Readable, output: Writable): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    if (!output.write(`${await answer(line, backend)}\n`)) await once(output, "drain");
  }
}
