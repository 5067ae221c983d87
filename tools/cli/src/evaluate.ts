/**
 * `smooth-topk eval`: loss, accuracy and gradient of a file of scores, block by block.
 */
import { availableParallelism } from "node:os";
import {
  type ArraySource,
  BadInput,
  checkOutputs,
  createNpy,
  type LabelKind,
  type NpyWriter,
  openLabels,
  openScores,
  openVector,
  parseSpec,
} from "@smooth-topk/array-files";
import { type Backend, type LOSSES, messageOf, openBackend } from "./backends.ts";
import { type BlockPool, poolHere, poolOfThreads } from "./block-pool.ts";
import { NeumaierSum } from "./neumaier-sum.ts";
import { startProgress } from "./progress.ts";
import type { BlockResult, BlockSettings } from "./block-types.ts";
import { blocksOf, checkSizes, type Inputs, sumOfWeights } from "./score-inputs.ts";

export const REDUCTIONS = ["mean", "sum", "none"] as const;

export interface EvaluateOptions {
  readonly scores: string;
  readonly labels: string;
  readonly labelsAs?: LabelKind | undefined;
  /** One weight for each sample. */
  readonly weights?: string | undefined;
  /** Samples with this label do not count. */
  readonly ignoreIndex?: number | undefined;
  readonly k: readonly number[];
  readonly tau: number;
  readonly alpha: number;
  readonly loss: (typeof LOSSES)[number];
  readonly reduction: (typeof REDUCTIONS)[number];
  readonly backend: string;
  /** Worker threads; by default one for each core. */
  readonly threads?: number | undefined;
  readonly grad?: string | undefined;
  readonly perSample?: string | undefined;
  /** Whether the result is printed whole: without a reduction, each sample's loss is part of it. */
  readonly json?: boolean | undefined;
  /** Whether files that exist are replaced. */
  readonly force?: boolean | undefined;
  /** Of tables of text. */
  readonly header?: boolean | undefined;
  readonly indexColumn?: boolean | undefined;
  /** Bytes of scores, as doubles, held at a time by each thread. */
  readonly blockBytes?: number | undefined;
}

export interface Evaluation {
  /** A number; one for each k where there are several; one for each sample without a reduction; null for no samples. */
  readonly loss: number | null | readonly (number | null)[];
  readonly top1: number | null;
  readonly topk: number | null | readonly (number | null)[];
  readonly k: number | readonly number[];
  readonly tau: number;
  readonly alpha: number;
  readonly n: number;
  readonly batch: number;
  /** How many samples were left out, where some may be. */
  readonly ignored?: number;
  /** What ran. */
  readonly backend: string;
  /** The GPU, by its driver's name, where one ran. */
  readonly device?: string;
  readonly seconds: number;
}

const BLOCK_BYTES = 4 * 2 ** 20;
/** Scores below which starting threads takes longer than they save. */
const WORTH_THREADS = 2 ** 22;

/** Evaluates a loss over files; writes --grad and --per-sample whole or not at all. @param note  is told what was guessed. */
export async function evaluate(options: EvaluateOptions, note: (text: string) => void = () => {}): Promise<Evaluation> {
  const began = performance.now();
  checkParameters(options);
  const targets = await outputsOf(options);
  const open: ArraySource[] = [];
  let backend: Backend | null = null;
  const written: NpyWriter[] = [];
  const openedBy = async (source: Promise<ArraySource>): Promise<ArraySource> => {
    open.push(await source);
    return source;
  };
  try {
    const scores = await openedBy(openScores(options.scores, options));
    const labels = await openedBy(openLabels(options.labels, options.labelsAs, options));
    const weights =
      options.weights === undefined ? null : await openedBy(openVector(options.weights, "weights", options));
    const inputs = { scores, labels, weights };
    checkSizes(inputs, options.k, options.loss);
    const [batch, n] = scores.shape;
    backend = await openBackend(options.backend);
    const create = async (flag: string, path: string, shape: readonly number[]): Promise<NpyWriter> => {
      const file = await createNpy(flag, path, shape);
      written.push(file);
      return file;
    };
    const grad = targets.grad === undefined ? null : await create("--grad", targets.grad, [batch, n]);
    const each = targets.perSample === undefined ? null : await create("--per-sample", targets.perSample, [batch]);
    const totals = await run(options, backend, inputs, grad, each);
    for (const file of written) await file.finish();
    for (const text of open.flatMap(({ notes = [] }) => notes)) note(text);
    if (totals.counted === 0) note("no samples count: a mean and an accuracy of none are not defined");
    return {
      ...resultOf(options, totals),
      tau: options.tau,
      alpha: options.alpha,
      n,
      batch,
      ...(options.ignoreIndex === undefined ? {} : { ignored: batch - totals.counted }),
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

function checkParameters({ k, tau, alpha, loss, reduction, grad, perSample, ...rest }: EvaluateOptions): void {
  for (const one of k)
    if (!Number.isInteger(one) || one < 1) throw new BadInput(`--k: ${one}, expected an integer >= 1`);
  if (k.length > 1) {
    for (const [flag, given] of [
      ["--grad", grad !== undefined],
      ["--per-sample", perSample !== undefined],
      ["--reduction none", reduction === "none"],
    ] as const) {
      if (given) throw new BadInput(`${flag}: is of one k, and --k names ${k.length}`);
    }
  }
  if (reduction === "none" && rest.json !== true && perSample === undefined) {
    throw new BadInput("--reduction none: gives each sample's loss to --per-sample or --json, name one of them");
  }
  if (loss === "smooth-topk" && !(tau > 0 && tau < Infinity)) {
    throw new BadInput(`--tau: ${tau}, expected a number > 0`);
  }
  for (const one of loss === "smooth-topk" ? k : []) {
    if (!(one * tau >= 1e-280 && one * tau <= 1e280)) {
      throw new BadInput(`--tau: ${tau}, expected k tau between 1e-280 and 1e280`);
    }
  }
  if (loss !== "cross-entropy" && !Number.isFinite(alpha)) {
    throw new BadInput(`--alpha: ${alpha}, expected a finite number`);
  }
  const { threads, backend } = rest;
  if (threads !== undefined && threads > 1 && backend !== "cpu") {
    throw new BadInput(`--threads: are of --backend cpu, and ${backend} has its own`);
  }
}

async function outputsOf(options: EvaluateOptions): Promise<{ grad?: string; perSample?: string }> {
  const named = (
    [
      ["grad", "--grad"],
      ["perSample", "--per-sample"],
    ] as const
  ).flatMap(([key, flag]) => {
    const path = options[key];
    if (path === undefined) return [];
    if (!/\.npy$/i.test(path)) throw new BadInput(`${flag}: ${path}: results are written as .npy only`);
    return [{ key, flag, path }];
  });
  const inputs = [options.scores, options.labels, options.weights].filter((spec) => spec !== undefined);
  const targets = await checkOutputs(
    named,
    inputs.map((spec) => parseSpec(spec).path),
    options.force ?? false,
  );
  return Object.fromEntries(named.map(({ key }, i) => [key, targets[i]]));
}

interface Totals {
  /** For each k. */
  readonly losses: readonly number[];
  readonly top1: number;
  readonly topk: readonly number[];
  readonly counted: number;
  /** Sum of the weights of the samples that count. */
  readonly weight: number;
  /** Without a reduction, the loss of each sample. */
  readonly each: readonly number[] | null;
}

function resultOf(
  { k, reduction }: EvaluateOptions,
  { losses, top1, topk, counted, weight, each }: Totals,
): Pick<Evaluation, "loss" | "top1" | "topk" | "k"> {
  const loss = losses.map((sum) => (reduction === "sum" ? sum : weight > 0 ? sum / weight : null));
  const accuracy = (count: number): number | null => (counted > 0 ? count / counted : null);
  const several = k.length > 1;
  return {
    loss: each ?? (reduction === "none" ? null : several ? loss : loss[0]),
    top1: accuracy(top1),
    topk: several ? topk.map(accuracy) : accuracy(topk[0]),
    k: several ? k : k[0],
  };
}

async function run(
  options: EvaluateOptions,
  backend: Backend,
  inputs: Inputs,
  grad: NpyWriter | null,
  each: NpyWriter | null,
): Promise<Totals> {
  const { reduction, k } = options;
  const [batch, n] = inputs.scores.shape;
  const rowsPerBlock = Math.max(1, Math.floor((options.blockBytes ?? BLOCK_BYTES) / (8 * n)));
  const plain = inputs.weights === null && options.ignoreIndex === undefined;
  // Weights and what is ignored are known only at the end; a gradient needs their sum before.
  const before =
    grad === null || reduction !== "mean" || plain
      ? null
      : await sumOfWeights(inputs, options.ignoreIndex, rowsPerBlock);
  const settings: BlockSettings = {
    loss: options.loss,
    ks: k,
    tau: options.tau,
    alpha: options.alpha,
    n,
    ignoreIndex: options.ignoreIndex ?? null,
    wantGrad: grad !== null,
    gradScale: reduction === "mean" ? 1 / (before ?? batch) : 1,
    scoresName: inputs.scores.name,
    labelsName: inputs.labels.name,
  };
  const progress = startProgress(batch);
  const spare: ArrayBuffer[] = [];
  const pool = openPool(options, backend, settings, batch, rowsPerBlock, spare);
  const sums = k.map(() => new NeumaierSum());
  const totals = {
    top1: 0,
    topk: k.map(() => 0),
    counted: 0,
    each: reduction === "none" && options.json === true ? ([] as number[]) : null,
  };
  const weight = new NeumaierSum();
  const take = async (result: BlockResult): Promise<void> => {
    result.losses.forEach((losses, i) => sums[i].addAll(losses));
    totals.top1 += result.top1;
    result.topk.forEach((count, i) => (totals.topk[i] += count));
    totals.counted += result.counted;
    if (totals.each !== null) for (const loss of result.losses[0]) totals.each.push(loss);
    if (result.grad !== null) await grad?.append(result.grad);
    await each?.append(result.losses[0]);
    progress.advance(result.losses[0].length);
  };
  const underWay: Promise<BlockResult>[] = [];
  try {
    for await (const block of blocksOf(inputs, options.ignoreIndex, rowsPerBlock, spare, weight)) {
      const result = pool.evaluate(block);
      result.catch(() => {});
      underWay.push(result);
      // In order, so that sums and files are those of one thread.
      if (underWay.length >= 2 * pool.size - 1) await take(await (underWay.shift() as Promise<BlockResult>));
    }
    for (const result of underWay) await take(await result);
  } catch (error) {
    // A size or a temperature that is fine in the files, but beyond this backend.
    if (!(error instanceof RangeError)) throw error;
    throw new BadInput(`${backend.name === "cpu" ? "" : `--backend: ${backend.name}: `}${messageOf(error)}`);
  } finally {
    progress.stop();
    await pool.close();
  }
  return { ...totals, losses: sums.map((sum) => sum.value), weight: weight.value };
}

function openPool(
  { threads }: EvaluateOptions,
  backend: Backend,
  settings: BlockSettings,
  batch: number,
  rowsPerBlock: number,
  spare: ArrayBuffer[],
): BlockPool {
  const isHere = backend.name === "cpu";
  const wanted = threads ?? (batch * settings.n < WORTH_THREADS ? 1 : availableParallelism());
  const useful = Math.min(wanted, Math.ceil(batch / rowsPerBlock));
  if (!isHere || useful <= 1) return poolHere(settings, isHere ? null : backend, spare);
  return poolOfThreads(settings, useful, spare);
}
