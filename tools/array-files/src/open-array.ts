/**
 * Opens score and label files of every format that is read.
 */
import { open } from "node:fs/promises";
import type { ArraySource } from "./array-source.ts";
import { BadInput, systemReason } from "./bad-input.ts";
import { openCsv } from "./csv.ts";
import { openNpy } from "./npy.ts";
import { openSafetensors } from "./safetensors.ts";

export async function openArray(spec: string): Promise<ArraySource> {
  const tensor = /^(.*\.safetensors)(?::(.*))?$/s.exec(spec);
  const path = tensor?.[1] ?? spec;
  const extension = /\.(npy|safetensors|csv)$/i.exec(path)?.[1].toLowerCase();
  if (extension === undefined) {
    throw new BadInput(`${spec}: unknown kind of file, expected .npy, .safetensors or .csv`);
  }
  let file;
  try {
    file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    switch (extension) {
      case "npy":
        return await openNpy(path, file, stat.size);
      case "safetensors":
        return await openSafetensors(path, tensor?.[2] ?? null, file, stat.size);
      default:
        await file.close();
        return await openCsv(path);
    }
  } catch (error) {
    await file?.close().catch(() => {});
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${path}: ${systemReason(error)}`);
  }
}

/** Scores: a matrix [batch, n] of floats; text may hold integers. */
export async function openScores(spec: string): Promise<ArraySource> {
  const source = await openArray(spec);
  const { name, shape, kind, typeName } = source;
  if (kind !== "float" && typeName !== "text") {
    await source.close();
    throw new BadInput(`${name}: holds ${typeName}, expected float scores; are --scores and --labels swapped?`);
  }
  if (shape.length !== 2) {
    await source.close();
    throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected scores of shape (batch, n)`);
  }
  if (shape[0] === 0 || shape[1] === 0) {
    await source.close();
    throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected at least one row and one class`);
  }
  return source;
}

/** Labels: a vector [batch] of integers. */
export async function openLabels(spec: string): Promise<ArraySource> {
  const source = await openArray(spec);
  const { name, shape, kind, typeName } = source;
  if (shape.length !== 1) {
    await source.close();
    throw new BadInput(`${name}: has shape (${shape.join(", ")}), expected labels of shape (batch,)`);
  }
  // Text is checked value by value, so that the error names the row.
  if (kind !== "integer" && typeName !== "text") {
    await source.close();
    throw new BadInput(`${name}: holds ${typeName}, expected integer labels`);
  }
  return source;
}
