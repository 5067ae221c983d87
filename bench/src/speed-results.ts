/**
 * What bench/results/speed.json holds. Each section says when and where it was measured: a run may redo some of them.
 */
import type { JoinedCase } from "./between-processes.ts";
import type { Machine } from "./machine.ts";
import type { AuthorsResult } from "./speed-authors.ts";
import type { MemoryGrowth } from "./speed-memory.ts";

export interface Measured<T> {
  readonly date: string;
  readonly machine: Machine;
  readonly processes: number;
  readonly result: T;
}

/** Sections of timed cases. */
export type TimedSection =
  | "float64"
  | "float32"
  | "shapes"
  | "orders"
  | "sizes"
  | "esp"
  | "parts"
  | "products"
  | "convolutions"
  | "tape";

/** The exponent of a power law fitted to medians over processes, and the range over single processes. */
export interface Exponent {
  readonly variable: string;
  readonly from: number;
  readonly exponent: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface SpeedResults extends Partial<Record<TimedSection, Measured<JoinedCase[]>>> {
  exponentOfOrders?: Measured<Exponent[]>;
  exponentOfSizes?: Measured<Exponent[]>;
  memory?: Measured<MemoryGrowth[]>;
  authors?: Measured<AuthorsResult>;
}
