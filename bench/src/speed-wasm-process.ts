/**
 * One process of the benchmark of @smooth-topk/esym-wasm: node speed-wasm-process.js SECONDS, JSON out.
 *
 * Each case times loss and gradient as @smooth-topk/loss computes them: in TypeScript, and on a backend of one thread or two
 * whose memory holds the scores and takes the gradient; one contender has ordinary arrays, which are copied.
 */
import { createWasmBackend, type WasmBackend } from "@smooth-topk/esym-wasm";
import { crossEntropyValueAndGrad, lossesOn, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import ndarray from "ndarray";
import type { ProcessCase } from "./between-processes.ts";
import { type Contender, interleave, summarise } from "./interleaved-timer.ts";
import { scoreBatch } from "./score-batch.ts";
import { WASM_CASES } from "./speed-wasm-cases.ts";

const effort = { seconds: Number(process.argv[2]), fewestRounds: 5 };

/** Loss and gradient on a backend, from its own memory to its own memory, or from ordinary arrays. */
function onBackend(
  backend: WasmBackend,
  data: Float32Array | Float64Array,
  labels: Int32Array,
  k: number,
  own: boolean,
) {
  const batch = labels.length;
  const n = data.length / batch;
  const losses = lossesOn(backend.sync);
  const scores = own ? backend.allocate(batch, n) : null;
  const gradient = own ? backend.allocate(batch, n) : null;
  scores?.data.set(data);
  const plain = { scores: ndarray(data, [batch, n]), grad: data.slice() };
  const x = (): typeof plain.scores => scores?.array ?? plain.scores;
  const out = (): { grad: Float32Array | Float64Array } => ({ grad: gradient?.data ?? plain.grad });
  return {
    smooth: () => losses.smoothTopkLossValueAndGrad(x(), labels, { k, out: out() }).value,
    cross: () => losses.crossEntropyValueAndGrad(x(), labels, { out: out() }).value,
  };
}

const found: ProcessCase[] = [];
for (const { batch, n, k } of WASM_CASES) {
  for (const dtype of ["float32", "float64"] as const) {
    const { scores, labels } = scoreBatch(batch, n, dtype);
    const backend = await createWasmBackend({ dtype });
    const two = await createWasmBackend({ dtype, threads: 2 });
    const one = onBackend(backend, scores.data, labels, k, true);
    const copied = onBackend(backend, scores.data, labels, k, false);
    const shared = onBackend(two, scores.data, labels, k, true);
    const out = { grad: scores.data.slice() };
    const reference = smoothTopkLossValueAndGrad(scores, labels, { k, out }).value;
    for (const value of [one.smooth(), copied.smooth(), shared.smooth()]) {
      if (!(Math.abs(value / reference - 1) < (dtype === "float32" ? 1e-5 : 1e-13))) {
        throw new Error(`${batch} x ${n}, k = ${k}, ${dtype}: ${value}, expected ${reference}`);
      }
    }
    const contenders: Contender[] = [
      { name: "cross-entropy", run: one.cross },
      { name: "smooth top-k", run: one.smooth },
      { name: "smooth top-k, copied", run: copied.smooth },
      { name: "smooth top-k, two threads", run: shared.smooth },
      { name: "TypeScript smooth top-k", run: () => smoothTopkLossValueAndGrad(scores, labels, { k, out }) },
      { name: "TypeScript cross-entropy", run: () => crossEntropyValueAndGrad(scores, labels, { out }) },
    ];
    found.push({
      parameters: { batch, n, k, dtype, threads: two.threads },
      timings: summarise(interleave(contenders, effort), "cross-entropy"),
    });
    backend.destroy();
    two.destroy();
  }
}
process.stdout.write(JSON.stringify(found));
