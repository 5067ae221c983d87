/**
 * A progress bar on standard error: only on a terminal, and only for work that takes longer than a second.
 */
import { SingleBar } from "cli-progress";

export interface Progress {
  advance(rows: number): void;
  stop(): void;
}

const PATIENCE_MS = 1000;

export function startProgress(total: number): Progress {
  if (!process.stderr.isTTY) return { advance: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: "{bar} {percentage} % | {value} of {total} rows | {eta_formatted} left",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  const began = performance.now();
  let done = 0;
  return {
    advance: (rows) => {
      done += rows;
      if (bar.isActive) bar.update(done);
      else if (performance.now() - began > PATIENCE_MS && done < total) bar.start(total, done);
    },
    stop: () => {
      if (bar.isActive) bar.stop();
    },
  };
}
