/**
 * The fused loss and gradient on a GPU backend, against plain TypeScript on one thread and against cross-entropy in the
 * same mode, which is the case k = 1, tau = 1, alpha = 0.
 */
import { createGpuBackend, type GpuBackend, type GpuMode } from "@smooth-topk/esym-gpu";
import { provideWebgpu } from "@smooth-topk/esym-gpu/node";
import { lossesOn, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import type { ProcessCase } from "./between-processes.ts";
import { interleavePromises, processorTime } from "./interleaved-promises.ts";
import { type Effort, summarise } from "./interleaved-timer.ts";
import { expectSame } from "./same-work.ts";
import { scoreBatch } from "./score-batch.ts";

export const TYPESCRIPT = "TypeScript";

/** [batch, n] */
const SIZES = [
  [256, 100],
  [1, 1000],
  [256, 1000],
  [1024, 1000],
  [16, 10_000],
  [1, 100_000],
  [10, 100_000],
] as const;
const ORDERS = [1, 5, 20, 50];
/** Classes times k of a case: larger ones take seconds a call. */
const MOST_WORK = 1.3e7;

/** The contenders of a mode: WebAssembly on one thread and on all. */
function variants(mode: GpuMode): { name: string; threads: boolean }[] {
  if (mode !== "webasm") return [{ name: mode, threads: true }];
  return [
    { name: "webasm, 1 thread", threads: false },
    { name: "webasm, threads", threads: true },
  ];
}

/** Contenders' names in the order of the timings: TypeScript, then each variant and its cross-entropy. */
export async function timeGpu(mode: GpuMode, effort: Effort): Promise<ProcessCase[]> {
  if (mode === "webgpu") {
    const { name } = await provideWebgpu();
    process.stderr.write(`webgpu runs on ${name}\n`);
  }
  const found: ProcessCase[] = [];
  for (const [batch, n] of SIZES) {
    for (const k of ORDERS) {
      if (batch * n * k <= MOST_WORK) found.push(await timeCase(mode, batch, n, k, effort));
    }
  }
  return found;
}

async function timeCase(mode: GpuMode, batch: number, n: number, k: number, effort: Effort): Promise<ProcessCase> {
  const { scores, labels } = scoreBatch(batch, n, "float32");
  const out = { loss: new Float64Array(batch), grad: new Float32Array(batch * n) };
  const typescript = async (): Promise<unknown> => smoothTopkLossValueAndGrad(scores, labels, { k, out });
  await typescript();
  const backends: GpuBackend[] = [];
  const contenders = [{ name: TYPESCRIPT, run: typescript }];
  for (const { name, threads } of variants(mode)) {
    const backend = await createGpuBackend({ mode, threads });
    backends.push(backend);
    const losses = lossesOn(backend);
    const found = await losses.smoothTopkLossValueAndGrad(scores, labels, { k, reduction: "none" });
    const { value: loss, grad } = found;
    expectSame(`${name}, loss`, loss, out.loss, 1e-5);
    expectSame(
      `${name}, gradient`,
      grad.data,
      out.grad.map((v) => v * batch),
      1e-5,
    );
    contenders.push(
      { name, run: () => losses.smoothTopkLossValueAndGrad(scores, labels, { k }) },
      { name: `cross-entropy, ${name}`, run: () => losses.crossEntropyValueAndGrad(scores, labels) },
    );
  }
  const samples = await interleavePromises(contenders, effort);
  const half = samples.length / 2;
  const timings = [
    ...summarise(samples.slice(0, half), TYPESCRIPT),
    ...summarise(samples.slice(half), processorTime(TYPESCRIPT)),
  ];
  const executors = backends.map(({ executor }) => executor).join(", ");
  for (const backend of backends) backend.destroy();
  return { parameters: { mode, batch, n, k, executors }, timings };
}
