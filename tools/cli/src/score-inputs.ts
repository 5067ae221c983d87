/**
 * The files of an evaluation, side by side: scores, labels and weights, row by row.
 */
import { type ArraySource, BadInput } from "@smooth-topk/array-files";
import type { LOSSES } from "./backends.ts";
import { NeumaierSum } from "./neumaier-sum.ts";
import type { ScoreBlock } from "./block-types.ts";

export interface Inputs {
  readonly scores: ArraySource;
  readonly labels: ArraySource;
  readonly weights: ArraySource | null;
}

/** @throws BadInput naming the file that does not fit. */
export function checkSizes(
  { scores, labels, weights }: Inputs,
  k: readonly number[],
  loss: (typeof LOSSES)[number],
): void {
  const [batch, n] = scores.shape;
  for (const [source, what] of [
    [labels, "labels"],
    [weights, "weights"],
  ] as const) {
    if (source !== null && source.shape[0] !== batch) {
      const hint = what === "weights" && source.shape[0] === n ? " (weights are of samples, not of classes)" : "";
      throw new BadInput(
        `${source.name}: holds ${source.shape[0]} ${what}, expected one for each of ${batch} rows of ${scores.name}${hint}`,
      );
    }
  }
  if (labels.classes !== undefined && labels.classes !== n) {
    throw new BadInput(`${labels.name}: has ${labels.classes} classes, expected the ${n} of ${scores.name}`);
  }
  const limit = loss === "cross-entropy" ? n : n - 1;
  for (const one of k) {
    if (one <= limit) continue;
    const name = loss === "cross-entropy" ? "n" : "n - 1";
    throw new BadInput(`--k: k must be at most ${name}: got k = ${one}, n = ${n} in ${scores.name}`);
  }
}

/** Scores, labels and weights side by side. @param weight  sums the weights of the samples that count. */
export async function* blocksOf(
  { scores, labels, weights }: Inputs,
  ignoreIndex: number | undefined,
  rowsPerBlock: number,
  spare: ArrayBuffer[],
  weight: NeumaierSum,
): AsyncGenerator<ScoreBlock> {
  const { shape } = scores;
  const labelBlocks = inSteps(labels, rowsPerBlock);
  const weightBlocks = weights === null ? null : inSteps(weights, rowsPerBlock);
  let firstRow = 0;
  for await (const data of scores.blocks(rowsPerBlock, spare)) {
    const count = data.length / shape[1];
    const some = await labelBlocks(count);
    const of = weightBlocks === null ? null : await weightBlocks(count);
    for (let r = 0; r < count; r++) if (some[r] !== ignoreIndex) weight.add(of === null ? 1 : of[r]);
    yield { firstRow, scores: data, labels: some, weights: of };
    firstRow += count;
  }
}

/** The next so many numbers of a vector, however its own blocks are cut. */
function inSteps(source: ArraySource, rowsPerBlock: number): (count: number) => Promise<Float64Array> {
  const blocks = source.blocks(Math.max(rowsPerBlock, 2 ** 12))[Symbol.asyncIterator]();
  let held: ArrayLike<number> = [];
  let from = 0;
  return async (count) => {
    const out = new Float64Array(count);
    for (let done = 0; done < count;) {
      if (from === held.length) {
        held = ((await blocks.next()) as { value: ArrayLike<number> }).value;
        from = 0;
      }
      out[done++] = held[from++];
    }
    return out;
  };
}

/** The sum of the weights of the samples that count, without looking at scores. */
export async function sumOfWeights(
  { labels, weights }: Inputs,
  ignoreIndex: number | undefined,
  rows: number,
): Promise<number> {
  const sum = new NeumaierSum();
  const weightBlocks = weights === null ? null : inSteps(weights, rows);
  for await (const some of labels.blocks(rows)) {
    const of = weightBlocks === null ? null : await weightBlocks(some.length);
    for (let r = 0; r < some.length; r++) if (some[r] !== ignoreIndex) sum.add(of === null ? 1 : of[r]);
  }
  return sum.value;
}
