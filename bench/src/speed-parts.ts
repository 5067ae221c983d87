/**
 * Where the time of the fused loss and gradient goes: its parts, called as the loss calls them, in turns with the whole.
 */
import {
  centredRow,
  checkLogValues,
  copyRow,
  expBelow,
  exponentialScale,
  factorise,
  leaveOneOut,
  rowsOf,
  selectLargest,
  twoProduct,
} from "@smooth-topk/esym/kernel";
import { smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import type { ProcessCase } from "./between-processes.ts";
import { type Effort, interleave, type Samples, summarise } from "./interleaved-timer.ts";
import { expectFormula, expectSame } from "./same-work.ts";
import { scoreBatch } from "./score-batch.ts";
import { BATCH, CLASSES } from "./speed-loss.ts";

const WHOLE = "loss and gradient";

export function speedOfParts(effort: Effort): ProcessCase[] {
  return [5, 50].map((k) => ({ parameters: { k }, timings: summarise(timeParts(k, effort), WHOLE) }));
}

function timeParts(k: number, effort: Effort): Samples[] {
  const batch = scoreBatch(BATCH, CLASSES, "float64");
  const { scores, labels } = batch;
  expectFormula(batch, k, 1, 2);
  const rows = rowsOf("bench", "scores", scores);
  const scale = exponentialScale(twoProduct(k, 1));
  const out = { loss: new Float64Array(BATCH), grad: new Float64Array(BATCH * CLASSES) };
  const x = new Float64Array(CLASSES);
  const others = Array.from({ length: BATCH }, (_, b) => {
    const row = new Float64Array(CLASSES);
    copyRow(rows, b, row);
    row[labels[b]] = -Infinity;
    return row;
  });
  const room = centredRow(CLASSES, k);
  const values = new Float64Array(2 * k);
  const indices = new Int32Array(2 * k);
  const centres = others.map((row) => {
    selectLargest(row, CLASSES, 2 * k, values, indices);
    return values[k - 1];
  });
  // The entries that factorise leaves to expBelow: without the 2k largest, which would have exponentials above 1.
  const rest = others.map((row) => {
    selectLargest(row, CLASSES, 2 * k, values, indices);
    const left = row.slice();
    for (const i of indices) left[i] = -Infinity;
    return left;
  });
  const e = new Float64Array(CLASSES);
  const compareExp = (b: number): void => {
    expBelow(rest[b], CLASSES, centres[b], scale, e);
    const expected = rest[b].map((v) => Math.exp((v - centres[b]) / k));
    expectSame("expBelow", e, expected, 1e-13);
  };
  for (let b = 0; b < BATCH; b++) compareExp(b);

  const factoriseRow = (b: number): void => {
    copyRow(rows, b, x);
    x[labels[b]] = -Infinity;
    factorise(room, x, scale);
  };
  const samples = interleave(
    [
      { name: WHOLE, run: () => void smoothTopkLossValueAndGrad(scores, labels, { k, out }) },
      { name: "check of the scores", run: () => checkLogValues("bench", "scores", rows) },
      { name: "copy of the rows", run: eachRow((b) => copyRow(rows, b, x)) },
      {
        name: "selection of the 2k largest",
        run: eachRow((b) => void selectLargest(others[b], CLASSES, 2 * k, values, indices)),
      },
      { name: "exponentials, expBelow", run: eachRow((b) => expBelow(rest[b], CLASSES, centres[b], scale, e)) },
      { name: "exponentials, Math.exp", run: eachRow((b) => mathExp(rest[b], centres[b], 1 / k, e)) },
      { name: "factorise", run: eachRow(factoriseRow) },
      {
        name: "factorise and leaveOneOut",
        run: eachRow((b) => {
          factoriseRow(b);
          leaveOneOut(room, 0, 1, out.grad, b * CLASSES);
        }),
      },
    ],
    effort,
  );
  const [whole, check, copy, selection, exponentials, math, factorised, both] = samples;
  const difference = (name: string, from: Samples, ...parts: Samples[]): Samples => ({
    name,
    ms: from.ms.map((ms, round) => parts.reduce((left, part) => left - part.ms[round], ms)),
  });
  return [
    whole,
    check,
    copy,
    selection,
    exponentials,
    difference("product (difference)", factorised, copy, selection, exponentials),
    difference("leave-one-out (difference)", both, factorised),
    difference("labels, softplus, sums (difference)", whole, check, both),
    { ...math, name: "Math.exp instead of expBelow" },
  ];
}

function eachRow(row: (b: number) => void): () => void {
  return () => {
    for (let b = 0; b < BATCH; b++) row(b);
  };
}

function mathExp(x: Float64Array, centre: number, inverse: number, out: Float64Array): void {
  for (let i = 0; i < x.length; i++) out[i] = Math.exp((x[i] - centre) * inverse);
}
