/**
 * `smooth-topk stdio`: serves the port protocol on standard input and output, one answer per request, in order.
 */
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Backend } from "./backends.ts";
import { boundedLines } from "./bounded-lines.ts";
import { answer } from "./protocol.ts";

/** Bytes of a request: 64 MiB. */
const LONGEST = 2 ** 26;
const TOO_LONG = JSON.stringify({ id: null, error: `the request is longer than ${LONGEST} bytes` });

export async function serve(backend: Backend, input: Readable, output: Writable): Promise<void> {
  for await (const line of boundedLines(input, LONGEST)) {
    if (line?.trim() === "") continue;
    const text = line === null ? TOO_LONG : await answer(line, backend);
    if (!output.write(`${text}\n`)) await once(output, "drain");
  }
}
