/**
 * Jobs: what is to be done with the rows of a batch, as numbers at a fixed place in memory that every thread reads
 * (assembly/job.ts).
 */
import { type DoubleDouble, exponentialScale, UNIT_SCALE } from "@smooth-topk/esym/kernel";
import type { WasmMemory } from "./platform.ts";

/** What is done with each row. */
export const TASK = {
  inclusion: 0,
  ratioOnly: 1,
  ratioAndGradient: 2,
  weightedGradient: 3,
  weigh: 4,
  logEsp: 5,
  hvp: 6,
} as const;

/** Addresses of the job's numbers, and of the threads' control words before them. */
const JOB_AT = 128;
const JOB_NUMBERS = 18;

export interface Job {
  readonly task: (typeof TASK)[keyof typeof TASK];
  readonly batch: number;
  readonly n: number;
  readonly k: number;
  /** Whether x and the result are floats. */
  readonly floats: boolean;
  /** Addresses; 0 where there is none. */
  readonly x: number;
  readonly out: number;
  /** The direction of a Hessian-vector product, or the weights of rows. */
  readonly v?: number;
  readonly leftOut?: number;
  readonly ratios?: number;
  readonly centres?: number;
  readonly temperature?: DoubleDouble;
}

/** Working memory of the threads: where it begins, and bytes for each. */
export interface Room {
  readonly at: number;
  readonly bytes: number;
}

/** Writes a job; rowsPerChunk rows are claimed at a time. */
export function writeJob(memory: WasmMemory, job: Job, room: Room, rowsPerChunk: number): void {
  const { temperature = [1, 0] } = job;
  const scale = temperature[0] === 1 && temperature[1] === 0 ? UNIT_SCALE : exponentialScale(temperature);
  // The table of packages/esym has 128 steps per factor 2, the kernels have none: powers of two apart, exactly.
  const steps = 128;
  new Float64Array(memory.buffer, JOB_AT, JOB_NUMBERS).set([
    job.task,
    job.batch,
    job.n,
    job.k,
    job.floats ? 1 : 0,
    rowsPerChunk,
    room.at,
    room.bytes,
    job.x,
    job.out,
    job.v ?? 0,
    job.leftOut ?? 0,
    job.ratios ?? 0,
    job.centres ?? 0,
    scale.steps / steps,
    scale.stepHi * steps,
    scale.stepLo * steps,
    scale.inverse,
  ]);
}
