/**
 * The progress of `smooth-topk train` on standard error: a bar with the time left on a terminal, a line a run elsewhere.
 */
import type { Watcher } from "@smooth-topk/train";
import { SingleBar } from "cli-progress";

type Finished = Parameters<NonNullable<Watcher["finished"]>>[0];

function named({ loss, noise, fraction, seed }: Pick<Finished, "loss" | "noise" | "fraction" | "seed">): string {
  return `${loss}, noise ${noise}, fraction ${fraction}, seed ${seed}`;
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

export interface TrainingProgress extends Watcher {
  stop(): void;
}

/** @param k  the order of the accuracy that is printed. */
export function watchTraining(k: number): TrainingProgress {
  let done = 0;
  let total = 0;
  let worked = 0;
  if (!process.stderr.isTTY) {
    return {
      planned: (runs) => ({ done, total } = runs),
      finished: (run) => {
        const { validation, seconds, tau, learningRate } = run;
        const setting = `${tau === null ? "" : `tau ${tau}, `}rate ${learningRate}`;
        process.stderr.write(
          `${++done}/${total}  ${named(run)}, ${setting}: validation top-${k} ${percent(validation.topk)}, ${seconds.toFixed(1)} s\n`,
        );
      },
      stop: () => {},
    };
  }
  const bar = new SingleBar({
    format: "{bar} {percentage} % | {eta_formatted} left | run {run} of {runs} | {what}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    // Runs differ in speed: the estimate looks back over several.
    etaBuffer: 200,
  });
  return {
    planned: (runs, work) => {
      ({ done, total } = runs);
      if (work > 0) bar.start(work, 0, { run: Math.min(done + 1, total), runs: total, what: "" });
    },
    started: (combination) => bar.update(worked, { run: done + 1, what: named(combination) }),
    advanced: (work) => bar.update((worked += work)),
    finished: () => (done += 1),
    stop: () => {
      if (bar.isActive) bar.stop();
    },
  };
}
