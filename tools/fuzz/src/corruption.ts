/**
 * Bytes that were right once: what disks, networks and other people's writers do to them.
 */
import type { Random } from "./area.ts";

/** Bytes that formats give a meaning to. */
const TELLING = [0, 9, 10, 34, 44, 48, 57, 91, 93, 123, 125, 255];

/** A copy with one to four faults: bits flipped, a part dropped, an early end, a part twice, bytes replaced. */
export function corrupted(bytes: Uint8Array, random: Random): Uint8Array {
  let damaged: Uint8Array = bytes.slice();
  for (let faults = random.integer(1, 4); faults > 0 && damaged.length > 0; faults--) {
    const at = random.integer(0, damaged.length - 1);
    const length = random.integer(1, Math.min(16, damaged.length - at));
    const before = damaged.subarray(0, at);
    const part = damaged.subarray(at, at + length);
    const after = damaged.subarray(at + length);
    const fault: () => Uint8Array[] = random.pick([
      () => [before, part.map((byte) => byte ^ (1 << random.integer(0, 7))), after],
      () => [before, after],
      () => [before],
      () => [before, part, part, after],
      () => [before, part.map(() => random.pick(TELLING)), after],
    ]);
    damaged = Buffer.concat(fault());
  }
  return damaged;
}
