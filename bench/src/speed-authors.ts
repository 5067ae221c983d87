/**
 * The authors' PyTorch code on the same scores: processes of theirs (bench/authors.py) and of ours take turns.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crossEntropyValueAndGrad, smoothTopkLossValueAndGrad } from "@smooth-topk/loss";
import { type ProcessCase, significant } from "./between-processes.ts";
import { median } from "./quantiles.ts";
import { type ScoreBatch, scoreBatch } from "./score-batch.ts";
import { BATCH, CLASSES, type Precision } from "./speed-loss.ts";

const K = 5;
const TAU = 1;
const TEMPERATURES = [1, 0.1, 0.01];
/** Gradient entries below this are outside the accuracy contract. */
const SMALLEST_GRADIENT = 1e-280;

interface TheirTimings {
  readonly rounds: number;
  readonly values: Readonly<Record<string, number>>;
  readonly ms: Readonly<Record<string, number>>;
}

/** What authors.py prints. */
interface TheirReport {
  readonly torch: string;
  readonly python: string;
  readonly threads: number;
  readonly float32: TheirTimings;
  readonly float64: TheirTimings;
  readonly gradients: readonly { readonly tau: number; readonly loss: number; readonly hardRows: number }[];
}

/** Medians over pairs of processes, and the lowest and highest of their ratios (theirs / ours). */
interface AgainstAuthors {
  readonly dtype: Precision;
  readonly loss: string;
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  readonly lowestRatio: number;
  readonly highestRatio: number;
}

/** How far their gradient in double precision is from ours. */
interface GradientGap {
  readonly tau: number;
  /** Worst relative difference of an entry of at least 1e-280. */
  readonly worst: number;
  /** The same over the entries of at least a millionth of their row's largest. */
  readonly worstOfLarge: number;
  /** Entries of ours that they give as 0. */
  readonly zeros: number;
  /** Entries that are not finite. */
  readonly notFinite: number;
  /** Rows that they hand to the hard loss. */
  readonly hardRows: number;
  readonly entries: number;
  readonly lossDifference: number;
}

export interface AuthorsResult {
  readonly torch: string;
  readonly python: string;
  readonly timings: readonly AgainstAuthors[];
  readonly gradients: readonly GradientGap[];
}

/**
 * @param checkout  path of a checkout of the authors' repository.
 * @param python    the interpreter that has torch.
 * @param ours      times our losses at k = 5, tau = 1 in a process of its own.
 */
export function speedAgainstAuthors(
  checkout: string,
  python: string,
  processes: number,
  seconds: number,
  ours: (dtype: Precision) => ProcessCase[],
): AuthorsResult {
  const folder = mkdtempSync(join(tmpdir(), "smooth-topk-authors-"));
  try {
    const batch = scoreBatch(BATCH, CLASSES, "float64");
    writeRequest(folder, batch);
    const pairs: { ours: Record<Precision, ProcessCase>; theirs: TheirReport }[] = [];
    for (let p = 0; p < processes; p++) {
      const theirs = JSON.parse(
        execFileSync(
          python,
          [fileURLToPath(new URL("../authors.py", import.meta.url)), checkout, folder, String(seconds)],
          { encoding: "utf8", env: { ...process.env, OMP_NUM_THREADS: "1" }, stdio: ["ignore", "pipe", "inherit"] },
        ),
      ) as TheirReport;
      const [float32] = ours("float32");
      const [float64] = ours("float64");
      pairs.push({ ours: { float32, float64 }, theirs });
    }
    expectSameLosses(batch, pairs[0].theirs);
    const timings = (["float32", "float64"] as const).flatMap((dtype) =>
      ["smooth top-k", "cross-entropy"].map((loss) => {
        const our = pairs.map((pair) => pair.ours[dtype].timings.find(({ name }) => name === loss)?.ms ?? NaN);
        const their = pairs.map(({ theirs }) => theirs[dtype].ms[loss]);
        const ratios = their.map((ms, p) => ms / our[p]);
        return {
          dtype,
          loss,
          ours: significant(median(our)),
          theirs: significant(median(their)),
          ratio: significant(median(ratios)),
          lowestRatio: significant(Math.min(...ratios)),
          highestRatio: significant(Math.max(...ratios)),
        };
      }),
    );
    const [{ theirs }] = pairs;
    return {
      torch: theirs.torch,
      python: theirs.python,
      timings,
      gradients: theirs.gradients.map((found) => gradientGap(folder, batch, found)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeRequest(folder: string, { scores, labels }: ScoreBatch): void {
  writeFileSync(join(folder, "scores.f64"), new Uint8Array(Float64Array.from(scores.data).buffer));
  writeFileSync(join(folder, "labels.i32"), new Uint8Array(labels.slice().buffer));
  const request = { batch: BATCH, n: CLASSES, k: K, tau: TAU, temperatures: TEMPERATURES };
  writeFileSync(join(folder, "request.json"), JSON.stringify(request));
}

/** Both sides give the same losses: to what single precision keeps of theirs, log-space sums over 1000 classes. */
function expectSameLosses({ scores, labels }: ScoreBatch, theirs: TheirReport): void {
  const ours: Record<string, number> = {
    "smooth top-k": smoothTopkLossValueAndGrad(scores, labels, { k: K, tau: TAU }).value,
    "cross-entropy": crossEntropyValueAndGrad(scores, labels).value,
  };
  for (const [loss, value] of Object.entries(ours)) {
    for (const [dtype, tolerance] of [
      ["float32", 1e-4],
      ["float64", 1e-9],
    ] as const) {
      const found = theirs[dtype].values[loss];
      if (!(Math.abs(found - value) <= tolerance * Math.abs(value))) {
        throw new Error(`${loss}, ${dtype}: the authors' code gives ${found}, ours ${value}`);
      }
    }
  }
}

function gradientGap(
  folder: string,
  { scores, labels }: ScoreBatch,
  { tau, loss, hardRows }: TheirReport["gradients"][number],
): GradientGap {
  const bytes = readFileSync(join(folder, `authors-${tau}.f64`));
  const theirs = new Float64Array(new Uint8Array(bytes).buffer);
  const { value, grad } = smoothTopkLossValueAndGrad(scores, labels, { k: K, tau });
  const gap = { worst: 0, worstOfLarge: 0, zeros: 0, notFinite: 0, entries: 0 };
  for (let b = 0; b < BATCH; b++) {
    const row = Float64Array.from(grad.data.subarray(b * CLASSES, (b + 1) * CLASSES));
    const largest = row.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    for (const [i, ours] of row.entries()) {
      const their = theirs[b * CLASSES + i];
      if (!(Math.abs(ours) >= SMALLEST_GRADIENT)) continue;
      gap.entries++;
      if (!Number.isFinite(their)) {
        gap.notFinite++;
        continue;
      }
      if (their === 0) gap.zeros++;
      const relative = Math.abs(their - ours) / Math.abs(ours);
      gap.worst = Math.max(gap.worst, relative);
      if (Math.abs(ours) >= 1e-6 * largest) gap.worstOfLarge = Math.max(gap.worstOfLarge, relative);
    }
  }
  return {
    tau,
    ...gap,
    worst: significant(gap.worst),
    worstOfLarge: significant(gap.worstOfLarge),
    hardRows,
    lossDifference: significant(Math.abs(loss - value) / Math.abs(value)),
  };
}
