/**
 * Opens score and label files of every format that is read.
 */
import { type FileHandle } from "node:fs/promises";
import type { ArraySource } from "./array-source.ts";
import { BadInput, systemReason } from "./bad-input.ts";
import { type LabelKind, labelsOf } from "./class-labels.ts";
import type { CsvOptions } from "./csv-head.ts";
import { openCsv } from "./csv.ts";
import { openNpy } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { openParquet } from "./parquet.ts";
import { openRegular } from "./regular-file.ts";
import { openSafetensors } from "./safetensors.ts";
import { standardInput } from "./standard-input.ts";

export interface OpenOptions extends CsvOptions {
  /** Columns of a Parquet table that are not read with the others. */
  readonly except?: readonly string[] | undefined;
}

const EXPECTED = "expected .npy, .npz, .safetensors, .parquet or .csv, or - for standard input";
const TYPE = /\.(npy|npz|safetensors|parquet|csv)$/i;

export interface ArraySpec {
  readonly path: string;
  /** The tensor, array or column that is named behind the path. */
  readonly part: string | null;
  readonly type: string;
}

/** `file.npy`, `file.npz:array`, `file.safetensors:tensor`, `file.parquet:column`, `file.csv`, `-` or `-:part`. */
export function parseSpec(spec: string): ArraySpec {
  const [, path = spec, part = null] = /^(.*\.(?:safetensors|npz|parquet)|-)(?::(.*))?$/is.exec(spec) ?? [];
  if (path === "-") return { path, part, type: "-" };
  const type = TYPE.exec(path)?.[1].toLowerCase();
  if (type === undefined) throw new BadInput(`${spec}: unknown kind of file, ${EXPECTED}`);
  return { path, part, type };
}

export async function openArray(spec: string, options: OpenOptions = {}): Promise<ArraySource> {
  const { path, part, type } = parseSpec(spec);
  let file: FileHandle | undefined;
  try {
    if (type === "npz") return await openNpz(path, part);
    if (type === "-") {
      const input = await standardInput();
      file = input.file;
      return await openType(input.type, "standard input", part, file, input.size, options);
    }
    const regular = await openRegular(path);
    file = regular.file;
    return await openType(type, path, part, file, regular.size, options);
  } catch (error) {
    await file?.close().catch(() => {});
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${path}: ${systemReason(error)}`);
  }
}

async function openType(
  type: string,
  path: string,
  part: string | null,
  file: FileHandle,
  size: number,
  options: OpenOptions,
): Promise<ArraySource> {
  switch (type) {
    case "npy":
      return openNpy(path, file, size);
    case "safetensors":
      return openSafetensors(path, part, file, size);
    case "parquet":
      return openParquet(path, part, file, size, options.except);
    default:
      return openCsv(path, file, options);
  }
}

async function refuse(source: ArraySource, what: string): Promise<never> {
  await source.close();
  throw new BadInput(`${source.name}: ${what}`);
}

/** Scores: a matrix [batch, n] of floats, or a vector of one sample; text may hold integers. */
export async function openScores(spec: string, options: OpenOptions = {}): Promise<ArraySource> {
  const source = await openArray(spec, options);
  const { shape, kind, typeName } = source;
  const isText = typeName === "text";
  if (kind !== "float" && !isText) {
    return refuse(source, `holds ${typeName}, expected float scores; are --scores and --labels swapped?`);
  }
  // A single column of text may be one sample or one class.
  const isSample = shape.length === 1 && !isText;
  if (shape.length !== 2 && !isSample) {
    return refuse(source, `has shape (${shape.join(", ")}), expected scores of shape (batch, n)`);
  }
  const [batch, n] = isSample ? [1, shape[0]] : shape;
  if (n === 0) return refuse(source, `has shape (${shape.join(", ")}), expected at least one class`);
  if (n > MOST_CLASSES) return refuse(source, `has ${n} classes, expected at most ${MOST_CLASSES}`);
  // A vector is read in one go, as one row.
  const blocks: ArraySource["blocks"] = (rows, spare) => source.blocks(isSample ? rows * n : rows, spare);
  return { ...source, shape: [batch, n], blocks };
}

/** A row is held in memory, a few times over. */
const MOST_CLASSES = 2 ** 27;

/** Labels: a vector [batch], integers or to be checked as such. */
export async function openLabels(
  spec: string,
  as: LabelKind = "index",
  options: OpenOptions = {},
): Promise<ArraySource> {
  const source = await openArray(spec, options);
  try {
    return labelsOf(source, as);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** One number for each sample. */
export async function openVector(spec: string, what: string, options: OpenOptions = {}): Promise<ArraySource> {
  const source = await openArray(spec, options);
  const { shape } = source;
  if (shape.length > 2 || (shape.length === 2 && shape[1] !== 1)) {
    return refuse(source, `has shape (${shape.join(", ")}), expected ${what} of shape (batch,)`);
  }
  return { ...source, shape: [shape[0] ?? 1] };
}
