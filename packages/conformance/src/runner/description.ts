/**
 * The handshake: the runner first asks `{"id": 0, "function": "describe"}`, and a port that knows it says who it is and what
 * it offers. What it does not offer is not asked. A port without the handshake is asked everything.
 */
import { type Dtype, DTYPES } from "../dtypes.ts";
import { FUNCTIONS, type FunctionName } from "../vectors/vector-file.ts";
import type { Port } from "./port.ts";

/** The answer's output, as schemas/protocol.schema.json describes it. */
export interface PortDescription {
  readonly name: string;
  /** Of the port. */
  readonly version: string;
  /** That it is written in. */
  readonly language: string;
  readonly functions: readonly FunctionName[];
  readonly dtypes: readonly Dtype[];
}

const knows = <T extends string>(names: readonly T[], value: unknown): value is T[] =>
  Array.isArray(value) && value.length > 0 && value.every((name) => (names as readonly unknown[]).includes(name));

/** Asks a port to describe itself; undefined where it answers with an error, something else or not at all. */
export async function describePort(port: Port): Promise<PortDescription | undefined> {
  const [reply] = await port.exchange([{ id: 0, function: "describe" }], false);
  if (reply.failure !== undefined) return undefined;
  const { output } = reply.answer;
  if (typeof output !== "object" || output === null) return undefined;
  const { name, version, language, functions, dtypes } = output as Record<string, unknown>;
  if (!knows(FUNCTIONS, functions) || !knows(DTYPES, dtypes)) return undefined;
  const word = (value: unknown): string => (typeof value === "string" ? value : "");
  return { name: word(name), version: word(version), language: word(language), functions, dtypes };
}
