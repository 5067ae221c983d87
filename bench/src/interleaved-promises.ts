/**
 * The interleaved timer for contenders that return promises: one call a turn, one after the other.
 */
import type { Effort, Samples } from "./interleaved-timer.ts";

export interface AsyncContender {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/** The processor time of a contender, all threads together, is a sample of this name: what other work on the machine hides least. */
export const processorTime = (name: string): string => `${name}, processor time`;

/** Warms up for a third of the time (two rounds at least), then times rounds; the first of a round is another one each time. */
export async function interleavePromises(contenders: readonly AsyncContender[], effort: Effort): Promise<Samples[]> {
  const warm = performance.now();
  for (let round = 0; round < 2 || performance.now() - warm < (effort.seconds * 1000) / 3; round++) {
    for (const { run } of contenders) await run();
  }
  const samples = contenders.map((): number[] => []);
  const processor = contenders.map((): number[] => []);
  const began = performance.now();
  for (let round = 0; round < effort.fewestRounds || performance.now() - began < effort.seconds * 1000; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const c = (turn + round) % contenders.length;
      const start = performance.now();
      const used = process.cpuUsage();
      await contenders[c].run();
      samples[c].push(performance.now() - start);
      const { user, system } = process.cpuUsage(used);
      processor[c].push((user + system) / 1000);
    }
  }
  return [
    ...contenders.map(({ name }, c) => ({ name, ms: Float64Array.from(samples[c]) })),
    ...contenders.map(({ name }, c) => ({ name: processorTime(name), ms: Float64Array.from(processor[c]) })),
  ];
}
