/**
 * `smooth-topk eval`: loss, accuracy and gradient of a file of scores, block by block.
 */
import {
  type ArraySource,
  BadInput,
  createNpy,
  type NpyWriter,
  openLabels,
  openScores,
} from "@smooth-topk/array-files";
import { topkAccuracy } from "@smooth-topk/loss";
import ndarray, { type NdArray } from "ndarray";
import { type Backend, type LOSSES, messageOf, openBackend, type ValueAndGrad } from "./backends.ts";
import { startProgress } from "./progress.ts";

export const REDUCTIONS = ["mean", "sum"] as const;

export interface EvaluateOptions {
  readonly scores: string;
  readonly labels: string;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
  readonly loss: (typeof LOSSES)[number];
  readonly reduction: (typeof REDUCTIONS)[number];
  readonly backend: string;
  readonly grad?: string;
  readonly perSample?: string;
  /** Bytes of scores, as doubles, held at a time. */
  readonly blockBytes?: number;
}

export interface Evaluation {
  readonly loss: number;
  readonly top1: number;
  readonly topk: number;
  readonly k: number;
  readonly tau: number;
  readonly alpha: number;
  readonly n: number;
  readonly batch: number;
  /** What ran. */
  readonly backend: string;
  /** The GPU, by its driver's name, where one ran. */
  readonly device?: string;
  readonly seconds: number;
}

const BLOCK_BYTES = 4 * 2 ** 20;

/** Evaluates a loss over files; writes --grad and --per-sample whole or not at all. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const began = performance.now();
  checkParameters(options);
  const open: ArraySource[] = [];
  let backend: Backend | null = null;
  const written: NpyWriter[] = [];
  try {
    const scores = await openScores(options.scores);
    open.push(scores);
    const labels = await openLabels(options.labels);
    open.push(labels);
    const [batch, n] = scores.shape;
    checkSizes(options, scores, labels);
    backend = await openBackend(options.backend);
    const grad = options.grad === undefined ? null : await createNpy("--grad", options.grad, [batch, n]);
    if (grad !== null) written.push(grad);
    const each = options.perSample === undefined ? null : await createNpy("--per-sample", options.perSample, [batch]);
    if (each !== null) written.push(each);
    const totals = await run(options, backend, scores, labels, grad, each);
    for (const file of written) await file.finish();
    const divisor = options.reduction === "mean" ? batch : 1;
    return {
      loss: totals.loss / divisor,
      top1: totals.top1 / batch,
      topk: totals.topk / batch,
      k: options.k,
      tau: options.tau,
      alpha: options.alpha,
      n,
      batch,
      backend: backend.name,
      ...(backend.device === null ? {} : { device: backend.device }),
      seconds: (performance.now() - began) / 1000,
    };
  } catch (error) {
    for (const file of written) await file.abandon();
    throw error;
  } finally {
    for (const source of open) await source.close().catch(() => {});
    await backend?.destroy();
  }
}

function checkParameters({ k, tau, alpha, loss }: EvaluateOptions): void {
  if (!Number.isInteger(k) || k < 1) throw new BadInput(`--k: ${k}, expected an integer >= 1`);
  if (loss === "smooth-topk" && !(tau > 0 && tau < Infinity))
    throw new BadInput(`--tau: ${tau}, expected a number > 0`);
  if (loss !== "cross-entropy" && !Number.isFinite(alpha)) {
    throw new BadInput(`--alpha: ${alpha}, expected a finite number`);
  }
}

function checkSizes({ k, loss }: EvaluateOptions, scores: ArraySource, labels: ArraySource): void {
  const [batch, n] = scores.shape;
  if (labels.shape[0] !== batch) {
    throw new BadInput(
      `${labels.name}: holds ${labels.shape[0]} labels, expected one for each of ${batch} rows of ${scores.name}`,
    );
  }
  const limit = loss === "cross-entropy" ? n : n - 1;
  if (k > limit) {
    const name = loss === "cross-entropy" ? "n" : "n - 1";
    throw new BadInput(`--k: k must be at most ${name}: got k = ${k}, n = ${n} in ${scores.name}`);
  }
}

interface Totals {
  loss: number;
  top1: number;
  topk: number;
}

async function run(
  options: EvaluateOptions,
  backend: Backend,
  scores: ArraySource,
  labels: ArraySource,
  grad: NpyWriter | null,
  each: NpyWriter | null,
): Promise<Totals> {
  const [batch, n] = scores.shape;
  const rowsPerBlock = Math.max(1, Math.floor((options.blockBytes ?? BLOCK_BYTES) / (8 * n)));
  const progress = startProgress(batch);
  const scale = options.reduction === "mean" ? 1 / batch : 1;
  const totals: Totals = { loss: 0, top1: 0, topk: 0 };
  let compensation = 0;
  let firstRow = 0;
  const labelBlocks = labels.blocks(rowsPerBlock)[Symbol.asyncIterator]();
  try {
    for await (const data of scores.blocks(rowsPerBlock)) {
      const block = ndarray(data, [data.length / n, n]);
      const { value: blockLabels } = (await labelBlocks.next()) as { value: Float64Array };
      checkBlock(block, blockLabels, firstRow, scores.name, labels.name);
      const { value, grad: blockGrad } = await lossOf(options, backend, block, blockLabels);
      for (const loss of value) {
        // Neumaier's summation
        const next = totals.loss + loss;
        compensation += totals.loss >= loss ? totals.loss - next + loss : loss - next + totals.loss;
        totals.loss = next;
      }
      totals.top1 += topkAccuracy(block, blockLabels, { k: 1, reduction: "sum" });
      totals.topk += topkAccuracy(block, blockLabels, { k: options.k, reduction: "sum" });
      if (grad !== null) {
        const values = blockGrad.data as Float64Array;
        if (scale !== 1) for (let i = 0; i < values.length; i++) values[i] *= scale;
        await grad.append(values);
      }
      await each?.append(value);
      firstRow += block.shape[0];
      progress.advance(block.shape[0]);
    }
  } finally {
    progress.stop();
  }
  totals.loss += compensation;
  return totals;
}

async function lossOf(
  options: EvaluateOptions,
  backend: Backend,
  scores: NdArray<Float64Array>,
  labels: Float64Array,
): Promise<ValueAndGrad> {
  try {
    return await backend.valueAndGrad(scores, labels, options);
  } catch (error) {
    // A size or a temperature that is fine in the files, but beyond this backend.
    if (error instanceof RangeError) throw new BadInput(`--backend: ${backend.name}: ${messageOf(error)}`);
    throw error;
  }
}

/** Refuses bad numbers by file, and by their row in the file rather than in the block. */
function checkBlock(
  scores: NdArray<Float64Array>,
  labels: Float64Array,
  firstRow: number,
  scoresName: string,
  labelsName: string,
): void {
  const [rows, n] = scores.shape;
  const { data } = scores;
  for (let r = 0; r < rows; r++) {
    const label = labels[r];
    if (!Number.isInteger(label) || label < 0 || label >= n) {
      throw new BadInput(
        `${labelsName}: label of row ${firstRow + r} is ${label}, expected an integer in [0, ${n - 1}]`,
      );
    }
    for (let i = 0; i < n; i++) {
      const value = data[r * n + i];
      if (!(value < Infinity)) {
        throw new BadInput(
          `${scoresName}: score of row ${firstRow + r}, class ${i} is ${value}, expected a finite number or -Infinity`,
        );
      }
    }
    if (data[r * n + label] === -Infinity) {
      throw new BadInput(
        `${labelsName}: label of row ${firstRow + r} is ${label}, a masked class: its score is -Infinity`,
      );
    }
  }
}
