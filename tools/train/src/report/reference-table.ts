/**
 * A table of accuracies from elsewhere (a paper, another run) that report.html draws beside its own.
 *
 *     {
 *       "title": "CIFAR-100, DenseNet 40-40",
 *       "source": "Table 2 of the paper",
 *       "k": 5,
 *       "rows": [{ "loss": "cross-entropy", "noise": 0, "top1": 0.75, "topk": 0.94 }, ...]
 *     }
 *
 * Accuracies are fractions. Nothing is known here of where they come from: `source` says it, and stands below the figure.
 */
import { readFile } from "node:fs/promises";
import { BadInput, systemReason } from "@smooth-topk/array-files";
import { LOSSES, type LossName } from "../training/trained-loss.ts";

interface ReferenceRow {
  readonly loss: LossName;
  readonly noise: number;
  readonly top1: number;
  readonly topk: number;
}

export interface ReferenceTable {
  readonly title: string;
  readonly source: string;
  readonly k: number;
  readonly rows: readonly ReferenceRow[];
}

/** @throws BadInput naming the file, the entry and what was expected. */
export async function readReference(path: string): Promise<ReferenceTable> {
  let text;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new BadInput(`--reference: ${path}: ${systemReason(error)}`);
  }
  try {
    return parseReference(JSON.parse(text));
  } catch (error) {
    throw new BadInput(`--reference: ${path}: ${(error as Error).message.split("\n")[0]}`);
  }
}

/** @throws RangeError naming the entry, its value and what was expected. */
function parseReference(value: unknown): ReferenceTable {
  const { title, source, k, rows } = objectOf("the file", value);
  for (const [name, text] of Object.entries({ title, source })) {
    if (typeof text !== "string" || text === "") fail(name, text, "a text that is not empty");
  }
  if (!Number.isSafeInteger(k) || (k as number) < 1) fail("k", k, "an integer >= 1");
  if (!Array.isArray(rows) || rows.length === 0) fail("rows", rows, "a list that is not empty");
  return {
    title: title as string,
    source: source as string,
    k: k as number,
    rows: (rows as unknown[]).map((row, i) => parseRow(row, `rows[${i}]`)),
  };
}

function parseRow(value: unknown, name: string): ReferenceRow {
  const { loss, noise, top1, topk } = objectOf(name, value);
  if (!LOSSES.some((known) => known === loss)) fail(`${name}.loss`, loss, `one of ${LOSSES.join(", ")}`);
  for (const [key, number] of Object.entries({ noise, top1, topk })) {
    if (typeof number !== "number" || !(number >= 0 && number <= 1))
      fail(`${name}.${key}`, number, "a number in [0, 1]");
  }
  return { loss: loss as LossName, noise: noise as number, top1: top1 as number, topk: topk as number };
}

function objectOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(name, value, "an object");
  return value as Record<string, unknown>;
}

function fail(name: string, value: unknown, expected: string): never {
  throw new RangeError(`${name} is ${JSON.stringify(value) ?? "missing"}, expected ${expected}`);
}
